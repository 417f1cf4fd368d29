"""A filter finds the same users in SQL, on both databases, as its evaluation on the returned resources."""

import json
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scimsvc.protocol.filters.matching import matches
from scimsvc.protocol.filters.nodes import OPERATORS
from scimsvc.protocol.filters.parser import parse_filter
from scimsvc.protocol.users import USERS as USER_TYPE
from scimsvc.store import user_pages
from scimsvc.store.engine.transactions import reading
from scimsvc.store.filters.user_filters import compile_filter
from scimsvc.store.representations import View
from tests.support.client import Enterprise, user_body, walk
from tests.support.filter_cases import CASES, USER
from tests.support.long_runs import LONG
from tests.support.urns import ENTERPRISE_URN


def test_the_table_of_cases_holds_in_sql(acme: Enterprise) -> None:
    user = acme.create(**USER)
    other = acme.create(email="other@contoso.example", userName="Other")

    for text, expected in CASES:
        node = parse_filter(text, USER_TYPE)
        found = [each["id"] for each in acme.find(text)]
        wanted = [each["id"] for each in (user, other) if matches(node, each)]

        assert sorted(found) == sorted(wanted), text
        assert (user["id"] in found) is expected, text


def test_attributes_set_by_the_service_can_be_filtered(acme: Enterprise) -> None:
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
def test_a_filter_on_roles_sees_the_returned_values(acme: Enterprise, filter_: str, found: str) -> None:
    acme.create(email="a@contoso.example", displayName="on default")
    acme.create(email="b@contoso.example", displayName="with role", roles=[{"value": "User"}])

    assert [user["displayName"] for user in acme.find(filter_)] == [found]


def test_a_filter_on_roles_follows_the_default_role(acme: Enterprise, cli) -> None:  # type: ignore[no-untyped-def]
    acme.create()

    cli("enterprise", "update", "Acme", "--default-role", "User")

    assert acme.find('roles.value eq "DefaultEnterprise"') == []
    assert [user["roles"] for user in acme.find('roles.value eq "user"')] == [[{"value": "User", "primary": True}]]


# Random filters over random users: the SQL of each database against evaluation on the responses.


TEXTS = st.sampled_from(
    ["", "a", "A", "ab", "ß", "ss", "SS", "%", "_", "a%", "\\", '"', "'", "é", "É", "😀", "\U0010ffff", "a\n"]
)
PATHS = [path for path in walk(USER_TYPE.attributes) if not path.attribute.dropped and path.attribute.type != "complex"]
NAMES = st.sampled_from([str(path) for path in PATHS if path.attribute.type in ("string", "reference")])
ALL_NAMES = st.sampled_from([str(path) for path in walk(USER_TYPE.attributes) if not path.attribute.dropped])
VALUES = TEXTS.map(json.dumps) | st.just("null")
COMPARISONS = st.one_of(
    st.tuples(NAMES, st.sampled_from(OPERATORS), TEXTS.map(json.dumps)),
    st.tuples(NAMES, st.sampled_from(["eq", "ne"]), st.just("null")),
    st.tuples(st.sampled_from(["active", "emails.primary", "roles.primary"]), st.sampled_from(["eq", "ne"]),
              st.sampled_from(["true", "false", '"True"', "null"])),
    st.tuples(st.sampled_from(["meta.created", "meta.lastModified"]), st.sampled_from(["eq", "ne", "gt", "ge", "lt", "le"]),
              st.sampled_from(['"2020-01-01T00:00:00Z"', '"2120-01-01T00:00:00.0001+02:00"'])),
).map(" ".join)  # fmt: skip
CONDITIONS = st.sampled_from(['type eq "work"', "primary eq true", "primary ne true", "display pr"]) | st.tuples(
    st.sampled_from(["value", "type"]), st.sampled_from(OPERATORS), TEXTS.map(json.dumps)
).map(" ".join)
VALUE_PATHS = st.tuples(st.sampled_from(["emails", "phoneNumbers", "roles"]), CONDITIONS, CONDITIONS).map(
    lambda parts: f"{parts[0]}[{parts[1]} and {parts[2]}]"
)
FILTERS = st.recursive(
    COMPARISONS | ALL_NAMES.map(lambda name: f"{name} pr") | VALUE_PATHS,
    lambda inner: (
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda p: f"({p[0]} {p[1]} {p[2]})")
        | inner.map(lambda text: f"not ({text})")
    ),
    max_leaves=4,
)
ELEMENT = st.fixed_dictionaries({"value": TEXTS}, optional={"type": TEXTS, "display": TEXTS})
USERS = st.fixed_dictionaries(
    {"userName": TEXTS.filter(bool)},
    optional={
        "externalId": TEXTS, "title": TEXTS, "displayName": TEXTS, "active": st.booleans(),
        "name": st.fixed_dictionaries({}, optional={"givenName": TEXTS, "familyName": TEXTS}),
        "phoneNumbers": st.lists(ELEMENT, max_size=3), "photos": st.lists(ELEMENT, max_size=2),
        "addresses": st.lists(st.fixed_dictionaries({"country": TEXTS}, optional={"type": TEXTS}), max_size=2),
        "roles": st.sampled_from([[], [{"value": "user"}], [{"value": "PowerSigner", "primary": True, "type": "a"}]]),
        ENTERPRISE_URN: st.fixed_dictionaries({}, optional={"department": TEXTS, "manager": TEXTS}),
    },
)  # fmt: skip


@pytest.mark.slow
@settings(
    max_examples=1000 if LONG else 100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(bodies=st.lists(USERS, min_size=2, max_size=2), filter_=FILTERS)
def test_any_filter_in_sql_agrees_with_its_evaluation(
    acme: Enterprise, bodies: list[dict[str, Any]], filter_: str
) -> None:
    existing = acme.find("id pr") or [acme.create(email=f"{n}@x.example") for n in range(len(bodies))]
    ids = [user["id"] for user in sorted(existing, key=lambda user: str(user["emails"]))]
    users = []
    for number, (user_id, body) in enumerate(zip(ids, bodies, strict=True)):
        answer = acme.send("PUT", f"/Users/{user_id}", user_body(f"{number}@x.example", **body))
        assert answer.status_code == 200, answer.text
        users.append(answer.get_json())

    node = parse_filter(filter_, USER_TYPE)

    assert {user["id"] for user in acme.find(filter_)} == {user["id"] for user in users if matches(node, user)}


@pytest.mark.parametrize(
    ("filter_", "index"),
    [
        ('id eq "x"', "autoindex_users"),
        ('userName eq "x"', "users_user_name"),
        ('userName sw "x"', "users_user_name"),
        ('externalId eq "x"', "users_external_id"),
        ('emails[type eq "work"].value eq "x"', "users_email"),
        ('emails.value eq "x"', "users_email"),
        ("active eq false", "users_active"),
        ('meta.lastModified gt "2026-01-01T00:00:00Z"', "users_modified"),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_frequent_filters_use_an_index(app: Flask, filter_: str, index: str) -> None:
    view = View("http://localhost/api/scim/v2", "DefaultEnterprise", 1)
    condition = compile_filter(parse_filter(filter_, USER_TYPE), dialect="sqlite", view=view)
    statement = user_pages.USERS.where(condition).params(enterprise_id="x")

    with app.app_context(), reading() as connection:
        text = str(statement.compile(connection.engine, compile_kwargs={"literal_binds": True}))
        plan = [row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}")]

    assert any(index in step for step in plan), plan
    # The plan reads only by indexes that begin with the enterprise.
    assert all("(enterprise_id=?" in step for step in plan if "users" in step), plan
