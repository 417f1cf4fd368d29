"""Replace a person's values in free text, in any letter case and escaping, but not inside of other values."""

import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from scimsvc.protocol.attributes import fold
from scimsvc.protocol.json_text import write_json

#: Characters before and after a value that make it a part of another one: ``ba@x.example`` contains ``a@x.example``.
#: An apostrophe belongs to an address only within a word, because texts quote values with it.
_BEFORE = r"(?<![\w.+%&#~^!$*@-])(?<!\w')"
_AFTER = r"(?![\w@-])(?!\.\w)"
#: Text that looks like an e-mail address.
_ADDRESS = re.compile(r"[^\s\"'“”‘’<>()\[\]{},;:]+@[^\s\"'“”‘’<>()\[\]{},;:]*[\w]")


class Scrubber:
    """Replaces the values of one person by a pseudonym."""

    def __init__(self, values: Iterable[str], pseudonym: str) -> None:
        """Take the ``values`` in any form."""
        forms = {form for value in values if value.strip() for form in _forms(value)}
        longest_first = sorted(forms, key=lambda form: (-len(form), form))
        self._pseudonym = pseudonym
        self._values = tuple(longest_first)
        self._pattern = re.compile(f"{_BEFORE}(?:{'|'.join(map(re.escape, longest_first))}){_AFTER}")

    def text(self, text: str) -> str:
        """Return ``text`` with the pseudonym in place of each value."""
        folded = fold(text)
        if not any(value in folded for value in self._values):
            return text
        # The folded text can be longer. Each of its characters remembers the character that it comes from.
        origins = [index for index, character in enumerate(text) for _ in fold(character)]
        parts, end = [], 0
        for match in self._pattern.finditer(folded):
            parts += [text[end : origins[match.start()]], self._pseudonym]
            end = origins[match.end() - 1] + 1
        return "".join([*parts, text[end:]])

    def json_text(self, text: str) -> str:
        """Return the JSON ``text`` with the pseudonym in place of each value in its strings."""
        value = json.loads(text)
        scrubbed = self.value(value)
        return text if scrubbed == value else write_json(scrubbed)

    def value(self, value: Any) -> Any:
        """Return the JSON ``value`` with the pseudonym in its strings."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.value(each) for each in value]
        if isinstance(value, dict):
            return {name: self.value(member) for name, member in value.items()}
        return value


def _forms(value: str) -> set[str]:
    """Return ``value`` as texts contain it, folded: plain, escaped as JSON, and encoded for URLs."""
    escaped = (json.dumps(value)[1:-1], write_json(value)[1:-1], quote(value, safe=""), quote(value, safe="@"))
    return {fold(form) for form in (value, *escaped)}


def without_addresses(text: str, pseudonym: str) -> str:
    """Return ``text`` with the pseudonym in place of everything that looks like an e-mail address."""
    return _ADDRESS.sub(pseudonym, text)
