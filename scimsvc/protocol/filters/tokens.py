"""The tokens of a filter. Errors quote the filter."""

import re
from typing import NoReturn

from scimsvc.protocol.errors import InvalidFilter, quoted

_TOKEN = re.compile(
    r"""\s*(?: (?P<string>"(?:[^"\\]|\\.)*") | (?P<mark>[()\[\]]) | (?P<word>[^\s()\[\]"]+) )""", re.VERBOSE
)
END = ""
_MARKS = (END, "(", ")", "[", "]")
_EXAMPLE = 'Write conditions such as userName eq "Ada".'


class Tokens:
    """Reads the tokens of one filter from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._tokens = self._tokenize(text)
        self._position = 0

    def peek(self, ahead: int = 0) -> str:
        """Return the token that is ``ahead`` positions after the next one, or ``END``, without taking it."""
        index = self._position + ahead
        return self._tokens[index] if index < len(self._tokens) else END

    def skip(self) -> None:
        """Take the next token."""
        self._position += 1

    def take_keyword(self, keyword: str) -> bool:
        """Take the next token if it is ``keyword``, without regard to case. Return whether it was."""
        if self.peek().lower() != keyword:
            return False
        self.skip()
        return True

    def take_word(self, what: str) -> str:
        """Take and return a word. ``what`` begins the error: "An operator"."""
        token = self.peek()
        if token in _MARKS or token.startswith('"'):
            self.fail(f"{what} is missing {f'before {quoted(token)}' if token else 'at its end'}. {_EXAMPLE}")
        self.skip()
        return token

    def take_value(self, operator: str) -> str:
        """Take and return the value to the right of ``operator``."""
        token = self.peek()
        if token in _MARKS:
            self.fail(f"A value is missing after {operator}. {_EXAMPLE}")
        self.skip()
        return token

    def expect(self, mark: str) -> None:
        """Take ``mark``. Raises ``InvalidFilter`` if the next token is another one."""
        if self.peek() != mark:
            self.fail(f"A {mark} is missing. Close every bracket.")
        self.skip()

    def fail(self, why: str) -> NoReturn:
        """Raise ``InvalidFilter`` with the filter and the sentences ``why``."""
        raise InvalidFilter(f"The filter {quoted(self.text)} is not valid. {why}")

    def _tokenize(self, text: str) -> list[str]:
        tokens: list[str] = []
        position = 0
        end = len(text.rstrip())
        while position < end:
            match = _TOKEN.match(text, position)
            if match is None:
                self.fail("A double quote is not closed. Close it, or escape quotes within values.")
            tokens.append(match[0].strip() if match["string"] is None else match["string"])
            position = match.end()
        return tokens
