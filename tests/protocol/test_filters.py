"""Filters and paths are parsed by RFC 7644, and invalid ones are refused with a reason."""

from typing import Any

import pytest

from scimsvc.protocol.errors import InvalidFilter, InvalidPath, UnknownAttribute, UnknownInFilter
from scimsvc.protocol.filters.matching import matches
from scimsvc.protocol.filters.nodes import implied_values
from scimsvc.protocol.filters.parser import parse_filter
from scimsvc.protocol.reading.paths import parse_path
from scimsvc.protocol.scalars import parse_instant
from scimsvc.protocol.users import USERS
from tests.support.filter_cases import CASES, CORE, EXTENSION, USER


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_a_filter_says_of_a_user(text: str, expected: bool) -> None:
    assert matches(parse_filter(text, USERS), USER) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('meta.created eq "2026-01-02T03:04:05Z"', True),
        ('meta.created eq "2026-01-02T04:04:05+01:00"', True),
        ('meta.created eq "2026-01-02T03:04:05.000000Z"', True),
        ('meta.created gt "2026-01-02T03:04:04.9Z"', True),
        ('meta.created lt "2026-01-02T03:04:05.0001Z"', True),
        ('meta.created ge "2026-01-02T03:04:05.0001Z"', False),
        ('meta.created ne "2026-01-02T03:04:05.0001Z"', True),
        ('meta.created co "2026-01"', True),
    ],
)
def test_times_are_compared_as_instants(text: str, expected: bool) -> None:
    user = {"meta": {"created": "2026-01-02T03:04:05.000Z"}}

    assert matches(parse_filter(text, USERS), user) is expected


@pytest.mark.parametrize(
    ("text", "word"),
    [
        pytest.param("", "attribute is missing", id="empty"),
        pytest.param("title", "operator is missing", id="no operator"),
        pytest.param("title eq", "value is missing", id="no value"),
        pytest.param('title. eq "x"', "Unknown attribute", id="dot at the end"),
        pytest.param('title is "x"', "Unknown operator", id="unknown operator"),
        pytest.param('title eq "x', "quote", id="open quote"),
        pytest.param("title eq x", "double quotes", id="bare word"),
        pytest.param('title eq "\\q"', "escapes", id="bad escape"),
        pytest.param('title eq "\\ud800"', "surrogate", id="lone surrogate"),
        pytest.param('title eq "\\u0000"', "NUL", id="NUL"),
        pytest.param("title eq 5", "double quotes", id="number for text"),
        pytest.param("title eq true", "double quotes", id="boolean for text"),
        pytest.param("title gt null", "null", id="order of null"),
        pytest.param("active gt true", "boolean", id="order of booleans"),
        pytest.param('active eq "yes"', "true or false", id="no boolean"),
        pytest.param("active eq 1", "true or false", id="number for boolean"),
        pytest.param('name eq "x"', "name.formatted", id="complex without value"),
        pytest.param('meta.created gt "yesterday"', "time", id="no time"),
        pytest.param('meta.created gt "2026-01-02"', "time", id="date without time"),
        pytest.param('x509Certificates.value gt "AAAA"', "binary", id="order of binary"),
        pytest.param('bogus eq "x"', "bogus", id="unknown attribute"),
        pytest.param('emails.bogus eq "x"', "bogus", id="unknown sub-attribute"),
        pytest.param('emails[bogus eq "x"]', "bogus", id="unknown sub-attribute of an element"),
        pytest.param('password eq "x"', "not stored", id="password"),
        pytest.param("(title pr", ") is missing", id="open bracket"),
        pytest.param("title pr)", "after its end", id="closed too often"),
        pytest.param('emails[type eq "work"', "] is missing", id="open value path"),
        pytest.param('title[value eq "x"]', "sub-attributes", id="value path of a plain attribute"),
        pytest.param("title pr title pr", "after its end", id="no connective"),
        pytest.param("title pr and", "missing", id="and nothing"),
        pytest.param("not title pr", "Parentheses", id="not without brackets"),
        pytest.param('emails[type eq "work"].', "Unknown attribute", id="dot and nothing"),
        pytest.param("(" * 21 + "title pr" + ")" * 21, "levels", id="too deep"),
        pytest.param(" and ".join(["title pr"] * 101), "conditions", id="too many conditions"),
        pytest.param(f'title eq "{"x" * 8000}"', "characters", id="too long"),
    ],
)
def test_an_invalid_filter_is_refused_with_the_reason(text: str, word: str) -> None:
    with pytest.raises(InvalidFilter) as refusal:
        parse_filter(text, USERS)

    assert word in refusal.value.detail


@pytest.mark.requirement("R40")
def test_the_limits_themselves_are_read() -> None:
    assert parse_filter("(" * 20 + "title pr" + ")" * 20, USERS) == parse_filter("title pr", USERS)
    assert len(parse_filter(" or ".join(["title pr"] * 100), USERS).operands) == 100  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("title", "title"),
        ("TITLE", "title"),
        ("name.familyName", "name.familyName"),
        (f"{CORE}:title", "title"),
        (f"{CORE.upper()}:name.givenName", "name.givenName"),
        (f"{EXTENSION}:department", f"{EXTENSION}:department"),
        (f"{EXTENSION}.department", f"{EXTENSION}:department"),
        (f"{EXTENSION}:manager.value", f"{EXTENSION}:manager.value"),
        (EXTENSION, EXTENSION),
        ("emails", "emails"),
        ("email", "emails"),
        ("emails.value", "emails.value"),
        ('emails[type eq "work"]', "emails[…]"),
        ('phoneNumber[type eq "wo]rk"].value', "phoneNumbers[…].value"),
        ('roles[primary eq "True"].VALUE', "roles[…].value"),
    ],
)
def test_a_path_leads_to_its_attribute(text: str, shown: str) -> None:
    assert str(parse_path(text, USERS)) == shown


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("no.such[", InvalidPath),
        ('emails[type eq "work"', InvalidPath),
        ('emails[type eq "work"]value', InvalidPath),
        ('emails[type eq "work"].value.more', InvalidPath),
        ('title[value eq "x"]', InvalidPath),
        ("two words", InvalidPath),
        ("title.", InvalidPath),
        ("name.", InvalidPath),
        ("x" * 8001, InvalidPath),
        ("bogus", UnknownAttribute),
        ("name.bogus", UnknownAttribute),
        ("emails.value.more", UnknownAttribute),
        ('emails[type eq "work"].bogus', UnknownAttribute),
        (f"{EXTENSION}:bogus", UnknownAttribute),
        ("urn:other:User:title", UnknownAttribute),
        ('emails[type is "work"].value', InvalidFilter),
        ('emails[bogus eq "work"].value', UnknownInFilter),
        ("emails[].value", InvalidFilter),
    ],
)
def test_a_path_that_leads_nowhere_is_refused(text: str, error: type[Exception]) -> None:
    with pytest.raises(error) as refusal:
        parse_path(text, USERS)

    assert type(refusal.value) is error


@pytest.mark.parametrize(
    ("text", "implied"),
    [
        ('emails[type eq "work"]', {"type": "work"}),
        ('emails[type eq "work" and primary eq "True"]', {"type": "work", "primary": True}),
        ('emails[type eq "work" or type eq "home"]', None),
        ('emails[not (type eq "work")]', None),
        ('emails[type sw "work"]', None),
        ('emails[type eq "work" and value pr]', None),
        ("emails[type eq null]", None),
    ],
)
def test_a_condition_implies_what_an_element_must_be(text: str, implied: dict[str, Any] | None) -> None:
    condition = parse_path(text, USERS).condition

    assert condition is not None
    assert implied_values(condition) == implied


@pytest.mark.parametrize(
    "text", ["2026-13-01T00:00:00Z", "now", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"]
)
def test_a_text_that_is_not_an_instant_is_none(text: str) -> None:
    assert parse_instant(text) is None
