"""What a filter finds in a database is what it says of the answered resource: one table, two readers, two databases."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scimsvc.protocol.filters import parse_filter
from scimsvc.protocol.matching import matches
from tests.client import Enterprise, user_body
from tests.protocol.test_filters import CASES, USER


def test_the_table_of_cases_holds_in_sql(acme: Enterprise) -> None:
    user = acme.create(**USER)
    other = acme.create(email="other@contoso.example", userName="Other")

    for text, expected in CASES:
        node = parse_filter(text)
        found = [each["id"] for each in acme.find(text)]
        wanted = [each["id"] for each in (user, other) if matches(node, each)]

        assert sorted(found) == sorted(wanted), text
        assert (user["id"] in found) is expected, text


def test_what_the_service_itself_sets_can_be_asked_for(acme: Enterprise) -> None:
    user = acme.create()
    acme.create(email="other@contoso.example", roles=[{"value": "User"}])

    for name, value in {"id": user["id"], **user["meta"]}.items():
        path = "id" if name == "id" else f"meta.{name}"
        assert user["id"] in [each["id"] for each in acme.find(f"{path} eq {json.dumps(value)}")], path
    assert [
        each["id"]
        for each in acme.find(f'meta[resourceType eq "User" and version eq {json.dumps(user["meta"]["version"])}]')
    ] == [user["id"]]
    for path in ("id", "meta.location"):
        assert len(acme.find(f'{path} sw "{user["id"][:5]}" or {path} ew "{user["id"][-5:]}"')) == 1, path


@pytest.mark.parametrize(
    ("filter_", "found"),
    [
        ('roles[primary eq "True"].value eq "defaultenterprise"', "on default"),
        ('roles.value eq "DefaultEnterprise"', "on default"),
        ('roles.value eq "User"', "with role"),
        ("roles.primary eq true", "on default"),
        ("not (roles.primary eq true)", "with role"),
        ('roles.value ne "User"', "on default"),
    ],
)
def test_a_filter_on_roles_sees_what_is_answered(acme: Enterprise, filter_: str, found: str) -> None:
    acme.create(email="a@contoso.example", displayName="on default")
    acme.create(email="b@contoso.example", displayName="with role", roles=[{"value": "User"}])

    assert [user["displayName"] for user in acme.find(filter_)] == [found]


def test_a_filter_on_roles_follows_the_default_role(acme: Enterprise, cli) -> None:  # type: ignore[no-untyped-def]
    acme.create()

    cli("enterprise", "update", "Acme", "--default-role", "User")

    assert acme.find('roles.value eq "DefaultEnterprise"') == []
    assert [user["roles"] for user in acme.find('roles.value eq "user"')] == [[{"value": "User", "primary": True}]]


TEXTS = st.sampled_from(["", "a", "A", "ab", "ß", "ss", "SS", "%", "_", "a%", "\\", '"', "'", "é", "É", "😀", "a\n"])
VALUES = TEXTS.map(json.dumps)
NAMES = st.sampled_from(
    [
        "userName",
        "title",
        "externalId",
        "name.givenName",
        "emails.value",
        "emails.type",
        "phoneNumbers.value",
        "roles.value",
    ]
)
COMPARISONS = st.tuples(NAMES, st.sampled_from(["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"]), VALUES).map(
    " ".join
)
CONDITIONS = st.tuples(st.sampled_from(["value", "type"]), st.sampled_from(["eq", "ne", "co", "gt"]), VALUES).map(
    " ".join
)
VALUE_PATHS = st.tuples(st.sampled_from(["emails", "phoneNumbers", "roles"]), CONDITIONS, CONDITIONS).map(
    lambda parts: f"{parts[0]}[{parts[1]} and not ({parts[2]})]"
)
PRESENCE = NAMES.map(lambda name: f"{name} pr")
FILTERS = st.recursive(
    COMPARISONS | PRESENCE | VALUE_PATHS,
    lambda inner: (
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda p: f"({p[0]} {p[1]} {p[2]})")
        | inner.map(lambda text: f"not ({text})")
    ),
    max_leaves=4,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(filter_=FILTERS)
def test_any_filter_finds_in_sql_what_it_says_of_the_answers(acme: Enterprise, filter_: str) -> None:
    if "users" not in acme.made:
        acme.made["users"] = [acme.create(**body) for body in _users()]

    node = parse_filter(filter_)

    found = {user["id"] for user in acme.find(filter_)}
    assert found == {user["id"] for user in acme.made["users"] if matches(node, user)}


def _users() -> list[dict[str, object]]:
    texts = ["a", "AB", "ß", "SS", "%", "_", "\\", '"', "'", "É", "😀", "a%b", "x\ny"]
    users = []
    for number, text in enumerate(texts):
        user = user_body(f"a{number}@contoso.example", userName=text)
        if number % 2:
            user |= {"title": texts[-number], "externalId": text, "name": {"givenName": text * 2}}
        if number % 3:
            user |= {"phoneNumbers": [{"type": "a", "value": text}, {"type": "A", "value": "ab"}, {"value": "no type"}]}
        if number % 4 == 0:
            user |= {"roles": [{"value": "User", "primary": True, "type": text}]}
        users.append({"email": f"a{number}@contoso.example"} | user)
    return users
