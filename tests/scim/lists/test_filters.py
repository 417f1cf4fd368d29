"""Filters over HTTP find the matching users (RFC 7644 §3.4.2.2)."""

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from tests.support.client import Enterprise, assert_scim_error
from tests.support.urns import ENTERPRISE_URN, LIST_URN, USER_URN


def emails(work: str, **others: str) -> list[dict[str, Any]]:
    """Return a work address and others by their type."""
    return [{"type": type_, "value": value} for type_, value in ({"work": work} | others).items()]


USERS: dict[str, dict[str, Any]] = {
    "Full": {
        "externalId": "Ext-1",
        "title": "100%_Lead",
        "userType": "Employee",
        "nickName": 'say "hi" \\ ü',
        "name": {"familyName": "Straße", "givenName": "Test"},
        "emails": emails("full@one.example", home="home@two.example"),
        "roles": [{"value": "User"}],
        ENTERPRISE_URN: {"department": "Retail", "manager": {"value": "7"}},
    },
    "Other": {
        "externalId": "ext-1",
        "title": "100 Lead",
        "active": False,
        "emails": emails("other@two.example", home="away@one.example"),
        ENTERPRISE_URN: {"department": "Kitchen"},
    },
    "Bare": {"name": {}, "nickName": "", "addresses": [], "title": None, "emails": emails("bare@three.example")},
}


@pytest.fixture(autouse=True)
def users(acme: Enterprise) -> dict[str, dict[str, Any]]:
    return {name: acme.create(userName=name, **attributes) for name, attributes in USERS.items()}


def assert_found(acme: Enterprise, table: dict[str, set[str]]) -> None:
    """Check that each filter of ``table`` finds its userNames."""
    found = {text: {user["userName"] for user in acme.find(text)} for text in table}

    assert found == table


@pytest.mark.requirement("P17")
def test_case_exact_decides(acme: Enterprise) -> None:
    assert_found(acme, {
        'userName eq "FULL"': {"Full"},
        'userName sw "oT"': {"Other"},
        'name.familyName eq "STRASSE"': {"Full"},
        'emails.value eq "FULL@ONE.example"': {"Full"},
        'externalId eq "Ext-1"': {"Full"},
        'externalId eq "ext-1"': {"Other"},
        'externalId eq "EXT-1"': set(),
        'externalId sw "e"': {"Other"},
    })  # fmt: skip


@pytest.mark.requirement("P17")
def test_no_match_is_an_empty_list(acme: Enterprise) -> None:
    answer = acme.send("GET", "/Users", query={"filter": 'userName eq "nobody"'})

    assert answer.status_code == 200
    assert answer.get_json() == {
        "schemas": [LIST_URN], "totalResults": 0, "itemsPerPage": 0, "startIndex": 1, "Resources": []
    }  # fmt: skip


@pytest.mark.requirement("P18")
def test_a_value_path_binds_to_one_value(acme: Enterprise) -> None:
    assert_found(acme, {
        'emails[type eq "work" and value co "@two"]': {"Other"},
        'emails[type eq "home" and value co "@two"]': {"Full"},
        'emails.type eq "work" and emails.value co "@two"': {"Full", "Other"},
        'emails[type eq "work" and value co "@one"] or userName eq "bare"': {"Full", "Bare"},
        'not (emails[type eq "home"])': {"Bare"},
        'emails[not (type eq "work")]': {"Full", "Other"},
    })  # fmt: skip


@pytest.mark.requirement("P19")
def test_a_complex_attribute_means_its_value(acme: Enterprise) -> None:
    assert_found(acme, {
        'emails co "two.example"': {"Full", "Other"},
        'emails eq "HOME@two.example"': {"Full"},
        'emails sw "bare@"': {"Bare"},
        'roles eq "user"': {"Full"},
        f'{ENTERPRISE_URN}:manager eq "7"': {"Full"},
    })  # fmt: skip


@pytest.mark.requirement("P20")
def test_not_binds_tighter_than_and_and_and_tighter_than_or(acme: Enterprise) -> None:
    full, other, bare = (f'userName eq "{name}"' for name in USERS)

    assert_found(acme, {
        f"{full} or {other} and {bare}": {"Full"},
        f"{bare} and {other} or {full}": {"Full"},
        f"({full} or {other}) and {bare}": set(),
        f"{full} or {other} and title pr": {"Full", "Other"},
        f"not ({full}) and title pr": {"Other"},
        f"not ({full} and title pr)": {"Other", "Bare"},
        f"not ({full}) or {full}": {"Full", "Other", "Bare"},
        f"title pr and not ({other}) or {bare}": {"Full", "Bare"},
        f"TITLE PR AND NOT ({other}) OR {bare}": {"Full", "Bare"},
    })  # fmt: skip


@pytest.mark.requirement("P21")
@pytest.mark.parametrize(
    "name", ["title", "nickName", "name", "name.familyName", "addresses", "addresses.country", "manager"]
)
def test_pr_and_not_pr_are_complements(acme: Enterprise, name: str) -> None:
    having = {user["userName"] for user in acme.find(f"{name} pr")}
    lacking = {user["userName"] for user in acme.find(f"not ({name} pr)")}

    assert having | lacking == set(USERS)
    assert not having & lacking
    assert having == {
        "title": {"Full", "Other"},
        "addresses": set(),
        "addresses.country": set(),
    }.get(name, {"Full"})


@pytest.mark.requirement("P22")
def test_ne_matches_users_without_the_attribute(acme: Enterprise) -> None:
    assert_found(acme, {
        'title ne "100 lead"': {"Full", "Bare"},
        'userType ne "Employee"': {"Other", "Bare"},
        'name.familyName ne "Other"': {"Full", "Other", "Bare"},
        'externalId ne "Ext-1"': {"Other", "Bare"},
        f'{ENTERPRISE_URN}:department ne "retail"': {"Other", "Bare"},
        "active ne true": {"Other"},
    })  # fmt: skip


@pytest.mark.requirement("P23")
def test_eq_null_finds_the_unassigned(acme: Enterprise) -> None:
    assert_found(acme, {
        "title eq null": {"Bare"},
        "title ne null": {"Full", "Other"},
        "externalId eq null": {"Bare"},
        "name.familyName eq null": {"Other", "Bare"},
        f"{ENTERPRISE_URN}:manager.value eq null": {"Other", "Bare"},
        "userName eq null": set(),
    })  # fmt: skip


@pytest.mark.requirement("P24")
def test_percent_and_underscore_are_plain_characters(acme: Enterprise) -> None:
    assert_found(acme, {
        'title co "%"': {"Full"},
        'title co "_"': {"Full"},
        'title sw "100%"': {"Full"},
        'title sw "1_"': set(),
        'title ew "%Lead"': set(),
        'title ew "_lead"': {"Full"},
        'title sw "%"': set(),
        'title eq "100%Lead"': set(),
        'emails.value sw "%@"': set(),
        'userName ew "_ull"': set(),
        'nickName co "\\\\"': {"Full"},
    })  # fmt: skip


@pytest.mark.requirement("P25")
def test_json_escapes_are_read(acme: Enterprise) -> None:
    assert_found(acme, {
        r'nickName eq "say \"hi\" \\ ü"': {"Full"},
        r'nickName eq "say \u0022hi\u0022 \u005c \u00fc"': {"Full"},
        r'nickName co "\"HI\""': {"Full"},
        r'nickName ew "\\ \u00DC"': {"Full"},
        r'userName eq "F\u0075ll"': {"Full"},
        r'userName eq "full\t"': set(),
        r'userName eq "\/full"': set(),
    })  # fmt: skip


@pytest.mark.requirement("P26")
def test_times_compare_as_instants(acme: Enterprise, users: dict[str, dict[str, Any]]) -> None:
    created = datetime.fromisoformat(users["Full"]["meta"]["created"])
    later = {name: datetime.fromisoformat(user["meta"]["created"]) for name, user in users.items()}
    east = created.astimezone(timezone(timedelta(hours=5, minutes=30))).isoformat(timespec="microseconds")
    west = created.astimezone(timezone(timedelta(hours=-8))).isoformat(timespec="milliseconds")
    same = {name for name, instant in later.items() if instant == created}
    before, after = (created + timedelta(microseconds=n) for n in (-1, 1))

    assert_found(acme, {
        f'meta.created eq "{east}"': same,
        f'meta.created eq "{west}"': same,
        f'meta.created gt "{east}"': set(USERS) - same,
        f'meta.created ge "{west}"': set(USERS),
        f'meta.created lt "{east}"': set(),
        f'meta.created le "{west}"': same,
        f'meta.created gt "{before.isoformat()}"': set(USERS),
        f'meta.created lt "{after.isoformat()}"': same,
        'meta.lastModified gt "2011-05-13T04:42:34Z"': set(USERS),
        'meta.created lt "2011-05-13T04:42:34.5+14:00"': set(),
    })  # fmt: skip


@pytest.mark.requirement("P27")
@pytest.mark.parametrize(
    "text",
    [
        pytest.param(" ", id="blank"),
        pytest.param("active gt true", id="gt on a boolean"),
        pytest.param('active co "t"', id="co on a boolean"),
        pytest.param('active eq "maybe"', id="no boolean"),
        pytest.param('userName like "x"', id="unknown operator"),
        pytest.param('userName eq', id="without a value"),
        pytest.param("userName", id="without an operator"),
        pytest.param('userName eq "x', id="open string"),
        pytest.param("userName eq x", id="bare word"),
        pytest.param("userName eq 'x'", id="single quotes"),
        pytest.param("userName eq 5", id="a number for text"),
        pytest.param("userName gt null", id="gt null"),
        pytest.param('userName eq "x" and', id="open and"),
        pytest.param('and userName eq "x"', id="leading and"),
        pytest.param('(userName eq "x"', id="open bracket"),
        pytest.param('userName eq "x")', id="closed too often"),
        pytest.param('emails[type eq "work"', id="open value path"),
        pytest.param("emails[]", id="empty value path"),
        pytest.param('emails[type eq "work"]]', id="value path closed twice"),
        pytest.param('userName[value eq "x"]', id="value path of a plain attribute"),
        pytest.param('emails[emails[type eq "x"]]', id="value path in itself"),
        pytest.param('userName eq "x" garbage', id="trailing junk"),
        pytest.param('userName eq "x" "y"', id="two values"),
        pytest.param("not userName pr", id="not without brackets"),
        pytest.param('bogus eq "x"', id="unknown attribute"),
        pytest.param('name.bogus eq "x"', id="unknown sub-attribute"),
        pytest.param('name eq "x"', id="a complex attribute without value"),
        pytest.param('meta.created gt "yesterday"', id="no time"),
        pytest.param(r'userName eq "\x"', id="no escape of JSON"),
        pytest.param('userName eq "\\u0000"', id="NUL"),
        pytest.param('userName eq "\\ud800"', id="half a character"),
        pytest.param("(" * 5000 + "title pr" + ")" * 5000, id="deep"),
        pytest.param(" and ".join(["title pr"] * 5000), id="long"),
    ],
)  # fmt: skip
def test_an_invalid_filter_is_refused(acme: Enterprise, text: str) -> None:
    assert_scim_error(acme.send("GET", "/Users", query={"filter": text}), 400, "invalidFilter", "filter")


@pytest.mark.requirement("P28")
def test_id_schemas_meta_and_the_extension_can_be_asked_for(acme: Enterprise, users: dict[str, dict[str, Any]]) -> None:
    full = users["Full"]

    assert_found(acme, {
        f'id eq "{full["id"]}"': {"Full"},
        f'id eq "{full["id"].upper()}"': set(),
        f'id ne "{full["id"]}"': {"Other", "Bare"},
        f'schemas eq "{ENTERPRISE_URN}"': {"Full", "Other"},
        f'schemas eq "{USER_URN}"': set(USERS),
        'meta.resourceType eq "User"': set(USERS),
        'meta.resourceType eq "Group"': set(),
        f'meta.location eq "{full["meta"]["location"]}"': {"Full"},
        f"meta.version eq \"{full['meta']['version'].replace(chr(34), chr(92) + chr(34))}\"": {"Full"},
        f'{ENTERPRISE_URN}:department eq "RETAIL"': {"Full"},
        f"{ENTERPRISE_URN.upper()}:DEPARTMENT pr": {"Full", "Other"},
        f'{ENTERPRISE_URN}:manager.value eq "7"': {"Full"},
        'roles.value eq "defaultenterprise"': {"Other", "Bare"},
    })  # fmt: skip
