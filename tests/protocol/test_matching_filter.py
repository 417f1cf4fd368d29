"""The filter that Entra matches by is read at once, to what the general parser makes of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scimsvc.protocol.errors import InvalidFilter
from scimsvc.protocol.filters.matching_filter import parse_match
from scimsvc.protocol.filters.parser import Node, parse_filter
from scimsvc.protocol.limits import Limits


def by_the_general_parser(text: str) -> Node | None:
    try:
        return parse_filter.__wrapped__(text)
    except InvalidFilter:
        return None


@given(st.text(max_size=30) | st.text('"\\]ab\x00\x1f\x7f\x85\u2028\ud800\udc00ß@', max_size=20))
def test_what_it_reads_the_general_parser_reads_alike(address: str) -> None:
    text = f'emails[type eq "work"].value eq "{address}"'

    read = parse_match(text)

    assert read is None or read == by_the_general_parser(text)


def test_it_reads_what_entra_sends() -> None:
    text = 'emails[type eq "work"].value eq "José.Ñandú+test@contoso.example"'

    assert parse_match(text) == by_the_general_parser(text) is not None


@pytest.mark.parametrize(
    "text",
    [
        'emails[type eq "home"].value eq "a@b.example"',
        'emails[type eq "work"].value ne "a@b.example"',
        'emails[type eq "work"].value eq "a@b.example" and active eq true',
        'emails[type eq "work"].value eq "a@b.example',
        r'emails[type eq "work"].value eq "a\u0040b.example"',
        'emails[type eq "work"].value eq "a@b.example"\n',
        f'emails[type eq "work"].value eq "{"a" * 513}"',
        "",
    ],
)
def test_what_is_not_exactly_that_is_left_to_the_general_parser(text: str) -> None:
    assert parse_match(text) is None


def test_it_reads_no_longer_filter_than_the_operator_wants() -> None:
    text = f'emails[type eq "work"].value eq "{"a" * 170}"'

    assert parse_match(text) is not None
    assert parse_match(text, Limits(filter_length=200)) is None
