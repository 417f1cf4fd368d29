"""The tokens of a filter, and the errors that name the filter they come from."""

import re
from typing import NoReturn

from scimsvc.protocol.errors import InvalidFilter, quoted

_TOKEN = re.compile(
    r"""\s*(?: (?P<string>"(?:[^"\\]|\\.)*") | (?P<mark>[()\[\]]) | (?P<word>[^\s()\[\]"]+) )""", re.VERBOSE
)
END = ""
_MARKS = (END, "(", ")", "[", "]")


class Tokens:
    """The tokens of one filter, read from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._tokens = self._tokenize(text)
        self._position = 0

    def peek(self, ahead: int = 0) -> str:
        """Return the token ``ahead`` of the next one without taking it, or ``END``."""
        index = self._position + ahead
        return self._tokens[index] if index < len(self._tokens) else END

    def skip(self) -> None:
        """Take the next token."""
        self._position += 1

    def take_keyword(self, keyword: str) -> bool:
        """Take the next token if it is ``keyword``, in any case; return whether it was."""
        if self.peek().lower() != keyword:
            return False
        self.skip()
        return True

    def take_word(self, what: str) -> str:
        """Take and return a word; ``what`` names the missing part in an error."""
        token = self.peek()
        if token in _MARKS or token.startswith('"'):
            self.fail(f"{what} is missing" + (f" before {quoted(token)}" if token else " at its end"))
        self.skip()
        return token

    def take_value(self, operator: str) -> str:
        """Take and return the token that ``operator`` compares with."""
        token = self.peek()
        if token in _MARKS:
            self.fail(f"a value is missing after {operator}")
        self.skip()
        return token

    def expect(self, mark: str) -> None:
        """Take ``mark``; raises ``InvalidFilter`` if anything else comes next."""
        if self.peek() != mark:
            self.fail(f"a {mark} is missing")
        self.skip()

    def fail(self, why: str) -> NoReturn:
        """Raise the ``InvalidFilter`` that quotes the filter."""
        raise InvalidFilter(f"the filter {quoted(self.text)} cannot be read: {why}")

    def _tokenize(self, text: str) -> list[str]:
        tokens: list[str] = []
        position = 0
        end = len(text.rstrip())
        while position < end:
            match = _TOKEN.match(text, position)
            if match is None:
                self.fail("a double quote is not closed")
            tokens.append(match[0].strip() if match["string"] is None else match["string"])
            position = match.end()
        return tokens
