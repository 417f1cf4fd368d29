"""Filters and paths that clients repeat are read once. Long ones are not kept, because their number is not bounded."""

from collections.abc import Callable
from typing import Any

import pytest

from scimsvc.protocol.filters.parser import parse_filter
from scimsvc.protocol.reading.paths import parse_path


@pytest.mark.parametrize(
    ("read", "pattern"), [(parse_filter, 'title eq "{}"'), (parse_path, 'emails[value eq "{}"].display')]
)
def test_only_what_is_read_from_short_texts_is_kept(read: Callable[[str], Any], pattern: str) -> None:
    short, long = pattern.format("x"), pattern.format("x" * 600)

    assert read(short) is read(short)
    assert read(long) == read(long)
    assert read(long) is not read(long)
