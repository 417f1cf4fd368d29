"""Filters and paths that clients repeat are read once. Long ones are not kept, because their number is not bounded."""

from collections.abc import Callable
from typing import Any

import pytest

from scimsvc.protocol.attributes import Attribute, Schema
from scimsvc.protocol.filters.parser import parse_filter
from scimsvc.protocol.reading.paths import parse_path
from scimsvc.protocol.resource_types import ResourceType
from scimsvc.protocol.users import USERS


@pytest.mark.parametrize(
    ("read", "pattern"), [(parse_filter, 'title eq "{}"'), (parse_path, 'emails[value eq "{}"].display')]
)
def test_only_what_is_read_from_short_texts_is_kept(read: Callable[[str, ResourceType], Any], pattern: str) -> None:
    short, long = pattern.format("x"), pattern.format("x" * 600)

    assert read(short, USERS) is read(short, USERS)
    assert read(long, USERS) == read(long, USERS)
    assert read(long, USERS) is not read(long, USERS)


@pytest.mark.parametrize(("read", "text"), [(parse_filter, "title pr"), (parse_path, "title")])
def test_the_same_text_is_read_again_for_another_type(read: Callable[[str, ResourceType], Any], text: str) -> None:
    title = Attribute("title", "boolean")
    other = ResourceType("Note", "/Notes", Schema("urn:x:Note", "Note", "", (title,)), lambda _note, _notes: None)

    assert str(read(text, other)) != ""
    assert read(text, other) != read(text, USERS)
