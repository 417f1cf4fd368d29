"""Conditions that a column contains a word, ignoring case and accents.

A typed letter without an accent also finds the letter with any accent, so ``sorensen`` finds ``Sørensen``. A typed
accent finds only itself. Nothing is stored for this: each letter becomes a class of characters in a pattern of the
database, a GLOB on SQLite and a regular expression on PostgreSQL. A pattern has no repetition, so its time is bounded.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain, groupby
from typing import Any

from sqlalchemy import ColumnElement, LargeBinary, and_, cast, func, or_

from scimsvc.protocol.attributes import fold

#: Latin letters with accents.
_LATIN = chain(range(0x00C0, 0x0250), range(0x1E00, 0x1F00))
#: Letters that Unicode does not decompose into a letter and an accent.
_STROKES = {"ø": "o", "đ": "d", "ł": "l", "ħ": "h", "ŧ": "t", "ı": "i", "ƶ": "z", "ƀ": "b", "ɨ": "i", "ð": "d"}


def _accented() -> dict[str, str]:
    """Return the letters with accents, in both cases and as ranges of a class, by the letter without an accent."""
    codes: dict[str, list[int]] = defaultdict(list)
    for code in _LATIN:
        folded = chr(code).casefold()
        base = _STROKES.get(folded) or unicodedata.normalize("NFD", folded)[0]
        if base.isascii() and base.isalpha() and base != folded:
            codes[base].append(code)
    return {base: "".join(_ranges(of_base)) for base, of_base in codes.items()}


def _ranges(codes: list[int]) -> Iterator[str]:
    """Yield the ascending ``codes`` as ranges, because a class of many single characters takes long to test."""
    for _, group in groupby(enumerate(codes), lambda pair: pair[1] - pair[0]):
        run = [code for _, code in group]
        yield chr(run[0]) if len(run) == 1 else f"{chr(run[0])}-{chr(run[-1])}"


_ACCENTED = _accented()


def contains_word(
    column: ColumnElement[Any], word: str, *, dialect: str, is_folded: bool = False, has_accents: bool = True
) -> ColumnElement[bool]:
    """Return the condition that the text in ``column``, which may be stored folded, contains ``word``.

    Only texts with characters outside ASCII are compared with the pattern, which takes longer than a search for text.
    Without ``has_accents``, none is.
    """
    folded, lowered = fold(word), column if is_folded else func.lower(column)
    if dialect == "postgresql":
        plain = lowered.contains(folded, autoescape=True)
        has_others = func.octet_length(column) != func.length(column)
        pattern = column.op("~", is_comparison=True)(_regular_expression(folded))
    else:
        plain = lowered.op("GLOB", is_comparison=True)(f"*{''.join(map(_literal, folded))}*")
        has_others = func.length(column) != func.length(cast(column, LargeBinary))
        pattern = column.op("GLOB", is_comparison=True)(_glob(folded))
    return or_(plain, and_(has_others, pattern)) if has_accents else plain


@lru_cache(maxsize=256)
def _glob(word: str) -> str:
    return f"*{''.join(_class(letter) or _literal(letter) for letter in word)}*"


def _literal(letter: str) -> str:
    """Return the part of a GLOB that is only ``letter``."""
    return f"[{letter}]" if letter in "*?[" else letter


@lru_cache(maxsize=256)
def _regular_expression(word: str) -> str:
    return "".join(_class(letter) or (letter if letter.isalnum() else f"\\{letter}") for letter in word)


def _class(letter: str) -> str | None:
    """Return the class of the characters that ``letter`` finds, or None if it finds only itself."""
    if not letter.isalpha():
        return None
    cases = "".join(dict.fromkeys(each for each in (letter, letter.upper(), letter.lower()) if len(each) == 1))
    found = cases + _ACCENTED.get(letter, "")
    return f"[{found}]" if len(found) > 1 else None
