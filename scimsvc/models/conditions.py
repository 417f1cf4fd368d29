"""Conditions of constraints and partial indexes."""

from collections.abc import Iterable

from sqlalchemy import text

from scimsvc.vocabulary import REFUSED, REMOVALS


def is_one_of(column: str, words: Iterable[str]) -> str:
    """Return the condition that ``column`` is one of ``words``."""
    return f"{column} IN ({', '.join(map(repr, words))})"


#: Conditions of partial indexes. Queries repeat them literally, so that the database sees that the index applies.
IS_REFUSED = text(f"outcome = '{REFUSED}'")
IS_REMOVAL = text(is_one_of("type", REMOVALS))
