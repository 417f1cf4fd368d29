"""Filters and paths are read as RFC 7644 writes them, and refused with a reason where they are not."""

from typing import Any

import pytest

from scimsvc.protocol.errors import InvalidFilter, InvalidPath, UnknownAttribute
from scimsvc.protocol.filters.matching import matches
from scimsvc.protocol.filters.parser import parse_filter, parse_instant
from scimsvc.protocol.reading.paths import implied_values, parse_path

EXTENSION = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
CORE = "urn:ietf:params:scim:schemas:core:2.0:User"

#: A user to ask questions of, and questions with their answers; ``tests/test_filters_in_sql.py`` asks databases the same.
USER: dict[str, Any] = {
    "schemas": [CORE, EXTENSION],
    "externalId": "Ext-1",
    "userName": "Bärbel STRASSE",
    "name": {"familyName": "Straße", "givenName": "Bärbel"},
    "title": "100%_Lead",
    "active": True,
    "emails": [
        {"type": "work", "value": "Test.User@Contoso.example", "primary": True},
        {"type": "home", "value": "test@home.example"},
    ],
    "phoneNumbers": [{"type": "work", "value": '+1 (555) "0" \\'}],
    "roles": [{"value": "User", "primary": True}],
    EXTENSION: {"department": "Retail", "manager": {"value": "26118915"}},
}

CASES = [
    ('userName eq "bärbel strasse"', True),
    ('USERNAME Eq "BÄRBEL STRASSE"', True),
    ('userName eq "bärbel straße"', True),
    ('userName eq "someone"', False),
    ('userName ne "someone"', True),
    ('userName ne "bärbel strasse"', False),
    ('externalId eq "Ext-1"', True),
    ('externalId eq "ext-1"', False),
    (f'{CORE}:userName sw "bär"', True),
    ('name.familyName eq "STRASSE"', True),
    ('name.familyName co "rass"', True),
    ('title eq "100%_lead"', True),
    ('title co "%"', True),
    ('title sw "1_"', False),
    ('title co "0%_l"', True),
    ('title ew "lead"', True),
    ('title ew "_"', False),
    ('title co ""', True),
    ('nickName co ""', False),
    ('title gt "100"', True),
    ('title ge "100%_LEAD"', True),
    ('title lt "100"', False),
    ('title le "2"', True),
    ("title pr", True),
    ("nickName pr", False),
    ("not (nickName pr)", True),
    ('nickName ne "x"', True),
    ('not (nickName eq "x")', True),
    ('not (nickName gt "x")', True),
    ("nickName eq null", True),
    ("nickName ne null", False),
    ("title eq null", False),
    ("title ne null", True),
    ("active eq true", True),
    ('active eq "True"', True),
    ("active ne true", False),
    ("active eq false", False),
    ('emails[type eq "work"].value eq "TEST.user@contoso.example"', True),
    ('email[type eq "work"].value eq "test.user@contoso.example"', True),
    ('emails[type eq "work"].value eq "test@home.example"', False),
    ('emails[type eq "home"].value eq "test@home.example"', True),
    ('emails[type eq "work" and value co "@contoso"]', True),
    ('emails[type eq "work" and value co "@home"]', False),
    ('emails.type eq "work" and emails.value co "@home"', True),
    ('emails[not (type eq "work")]', True),
    ('emails[type eq "work" and primary eq true]', True),
    ('emails[primary eq true and type eq "work"]', True),
    ('emails[type eq "home" and primary eq true]', False),
    ('emails[type eq "work" and display eq "x"]', False),
    ('emails[type eq "work" and value eq "test.user@contoso.example" and primary eq true]', True),
    ('emails[type eq "work" or type eq "home"]', True),
    ('emails co "home.example"', True),
    ('emails.value ew "nowhere"', False),
    ('emails.type ne "work"', True),
    ("emails.primary eq true", True),
    ('emails[primary eq "True"].value sw "TEST.USER"', True),
    ('emails[primary ne true].value sw "test@home"', True),
    ("emails.display pr", False),
    ("emails.display eq null", True),
    ("emails.type ne null", True),
    ("emails pr", True),
    ("photos pr", False),
    ("name pr", True),
    ('name[givenName eq "bärbel"]', True),
    ('name[givenName eq "bärbel" and not (familyName eq "x")]', True),
    (f'{EXTENSION}[department eq "retail" and manager[value eq "26118915"]]', True),
    (f'{EXTENSION}:manager[not (displayName pr)].value eq "26118915"', True),
    (f'{EXTENSION}:manager[value eq "x"]', False),
    ('roles[primary eq "True"].value eq "USER"', True),
    ('roles.value eq "Admin"', False),
    ('phoneNumbers.value eq "+1 (555) \\"0\\" \\\\"', True),
    ('phoneNumber[type eq "work"].value co "\\u0022"', True),
    (f'{EXTENSION}:department eq "retail"', True),
    (f'{EXTENSION}:manager.value eq "26118915"', True),
    (f'{EXTENSION}:manager eq "26118915"', True),
    (f"{EXTENSION}:manager pr", True),
    ('manager eq "26118915" and department pr', True),
    (f"{EXTENSION}:costCenter pr", False),
    (f"{EXTENSION} pr", True),
    (f'schemas eq "{EXTENSION}"', True),
    ('schemas eq "urn:nothing"', False),
    ("schemas pr", True),
    ('schemas ne "urn:nothing"', True),
    # or binds loosest, then and, then not and brackets (section 3.4.2.2).
    ("title pr or nickName pr and nickName pr", True),
    ("(title pr or nickName pr) and nickName pr", False),
    ("not (nickName pr) and title pr", True),
    ("not (nickName pr and title pr)", True),
    ("title pr AND Title PR OR nickName pr", True),
    ('  title   eq "100%_lead"  ', True),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_a_filter_says_of_a_user(text: str, expected: bool) -> None:
    assert matches(parse_filter(text), USER) is expected


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

    assert matches(parse_filter(text), user) is expected


@pytest.mark.parametrize(
    ("text", "word"),
    [
        pytest.param("", "attribute is missing", id="empty"),
        pytest.param("title", "operator is missing", id="no operator"),
        pytest.param("title eq", "value is missing", id="no value"),
        pytest.param('title. eq "x"', "no attribute", id="dot at the end"),
        pytest.param('title is "x"', "no operator", id="unknown operator"),
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
        pytest.param('password eq "x"', "not kept", id="password"),
        pytest.param("(title pr", ") is missing", id="open bracket"),
        pytest.param("title pr)", "one too many", id="closed too often"),
        pytest.param('emails[type eq "work"', "] is missing", id="open value path"),
        pytest.param('title[value eq "x"]', "sub-attributes", id="value path of a plain attribute"),
        pytest.param("title pr title pr", "one too many", id="no connective"),
        pytest.param("title pr and", "missing", id="and nothing"),
        pytest.param("not title pr", "brackets", id="not without brackets"),
        pytest.param('emails[type eq "work"].', "no attribute", id="dot and nothing"),
        pytest.param("(" * 21 + "title pr" + ")" * 21, "levels", id="too deep"),
        pytest.param(" and ".join(["title pr"] * 101), "conditions", id="too many conditions"),
        pytest.param(f'title eq "{"x" * 8000}"', "characters", id="too long"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(text: str, word: str) -> None:
    with pytest.raises(InvalidFilter) as refusal:
        parse_filter(text)

    assert word in refusal.value.detail


def test_r40_the_limits_themselves_are_read() -> None:
    assert parse_filter("(" * 20 + "title pr" + ")" * 20) == parse_filter("title pr")
    assert len(parse_filter(" or ".join(["title pr"] * 100)).operands) == 100  # type: ignore[union-attr]


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
    assert str(parse_path(text)) == shown


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
        ('emails[bogus eq "work"].value', InvalidFilter),
        ("emails[].value", InvalidFilter),
    ],
)
def test_a_path_that_leads_nowhere_is_refused(text: str, error: type[Exception]) -> None:
    with pytest.raises(error) as refusal:
        parse_path(text)

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
    condition = parse_path(text).condition

    assert condition is not None
    assert implied_values(condition) == implied


@pytest.mark.parametrize(
    "text", ["2026-13-01T00:00:00Z", "now", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"]
)
def test_what_is_no_instant_is_none(text: str) -> None:
    assert parse_instant(text) is None
