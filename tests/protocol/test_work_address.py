"""Entra's filter for matching is recognized by its text, with the meaning that the general parser gives it."""

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from scimsvc import fast_paths
from scimsvc.protocol.errors import InvalidFilter
from scimsvc.protocol.filters.nodes import And, Comparison, Node, ValuePath, implied_values
from scimsvc.protocol.filters.parser import parse_filter
from scimsvc.protocol.filters.work_address import find_work_address
from scimsvc.protocol.limits import Limits
from scimsvc.protocol.listing import read_list_query
from scimsvc.protocol.users import USERS


def match_of(address: str) -> str:
    return f'emails[type eq "work"].value eq "{address}"'


def address_by_the_general_parser(text: str) -> str | bool | None:
    """Return the address that the parsed filter compares with a work address, or None for another filter."""
    try:
        node: Node = parse_filter(text, USERS)
    except InvalidFilter:
        return None
    if not isinstance(node, ValuePath) or str(node.path) != "emails" or not isinstance(node.condition, And):
        return None
    if not all(isinstance(each, Comparison) for each in node.condition.operands):
        return None
    implied = implied_values(node.condition) or {}
    return implied["value"] if implied.keys() == {"type", "value"} and implied["type"] == "work" else None


@given(st.text(max_size=30) | st.text('"\\]ab\x00\x1f\x7f\x85\u2028\ud800\udc00ß@', max_size=20))
def test_a_recognized_address_is_the_one_of_the_general_parser(address: str) -> None:
    text = match_of(address)

    recognised = find_work_address(text)

    event("recognised" if recognised is not None else "not recognised")
    assert recognised is None or recognised == address_by_the_general_parser(text)


def test_entras_filters_are_recognized() -> None:
    text = match_of("José.Ñandú+test@contoso.example")

    assert find_work_address(text) == address_by_the_general_parser(text) == "José.Ñandú+test@contoso.example"


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
def test_other_filters_are_left_to_the_general_parser(text: str) -> None:
    assert find_work_address(text) is None


def test_a_filter_over_the_length_limit_is_not_recognized() -> None:
    text = match_of("a" * 170)

    assert find_work_address(text) is not None
    assert find_work_address(text, Limits(filter_length=200)) is None


def test_a_list_query_has_the_address_in_place_of_nodes() -> None:
    parameters = {"filter": match_of("a@b.example")}

    query = read_list_query(parameters, USERS)
    with fast_paths.disabled():
        general = read_list_query(parameters, USERS)

    assert (query.filter, query.work_address) == (None, "a@b.example")
    assert (general.filter, general.work_address) == (parse_filter(parameters["filter"], USERS), None)
    assert query.has_filter
    assert general.has_filter
