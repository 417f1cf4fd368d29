"""No request lets one enterprise see, count, infer or change anything of another.

Acme sends every request twice: once with Rival's values (IDs, addresses, roles, cursors, ETags), once with values that
no enterprise has. Apart from the values, the two responses must be equal, and Rival must not change.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from werkzeug.test import TestResponse

from scimsvc.extensions import db
from scimsvc.protocol import urns
from tests.support.apps import make_enterprise
from tests.support.client import Enterprise, patch_body, replace, user_body
from tests.support.groups import GROUP_URN, store_group
from tests.support.long_runs import LONG
from tests.support.records import log_of
from tests.support.types import Cli
from tests.support.urns import BULK_URN

pytestmark = pytest.mark.system

EXAMPLES = 3000 if LONG else 60


@dataclass(frozen=True)
class Values:
    """Values for requests: either Rival's, or unknown ones of the same lengths."""

    id: str
    email: str
    user_name: str
    external_id: str
    role: str
    alias: str
    tag: str
    cursor: str
    group: str
    group_name: str


RIVALS = {"email": "zebra.person@rival.example", "user_name": "Zebra Person", "external_id": "zebra-external-1"}
NOBODYS = {"email": "other.person@never.example", "user_name": "Other Person", "external_id": "other-external-1"}
MISSING = "00000000-0000-4000-8000-000000000000"
NO_GROUP = "00000000-0000-4000-8000-000000000001"


@pytest.fixture
def world(acme: Enterprise, cli: Cli) -> tuple[Enterprise, Enterprise, Values, Values]:
    rival = make_enterprise(acme.app, "Rival")
    cli("role", "add", "Rival", "Zebrarole", "--alias", "Zebraalias")
    theirs = rival.create(
        email=RIVALS["email"], userName=RIVALS["user_name"], externalId=RIVALS["external_id"], roles=["Zebrarole"]
    )
    for number in range(3):
        rival.create(email=f"zebra{number}@rival.example", active=number > 0)
        acme.create(email=f"own{number}@acme.example", title=f"Title {number}")
    group = store_group(rival, "Zebra group", [theirs["id"]], externalId=RIVALS["external_id"])
    store_group(acme, "Own group", [acme.create(email="own.member@acme.example")["id"]])
    page = rival.send("GET", "/Users", query={"cursor": "", "count": "1"}).get_json()
    foreign = Values(theirs["id"], **RIVALS, role="Zebrarole", alias="Zebraalias", tag=theirs["meta"]["version"],
                     cursor=page["nextCursor"], group=group.id, group_name="Zebra group")  # fmt: skip
    nobodys = Values(MISSING, **NOBODYS, role="Otherrole", alias="Otheralias", tag='W/"9"',
                     cursor=page["nextCursor"].swapcase(), group=NO_GROUP, group_name="Other group")  # fmt: skip
    return acme, rival, foreign, nobodys


Request = tuple[str, str, Any, dict[str, str], dict[str, str]]  # method, path, body, query, headers
Maker = Callable[[Values, dict[str, Any]], Request]


def _atoms() -> st.SearchStrategy[Callable[[Values], str]]:
    operators = st.sampled_from(["eq", "ne", "co", "sw", "ew", "gt", "le"])
    attributes = st.sampled_from(
        [("id", "id"), ("userName", "user_name"), ("externalId", "external_id"), ("emails.value", "email"),
         ("email", "email"), ("roles.value", "role"), ("meta.location", "id"), ("title", "user_name"),
         ("groups.value", "group"), ("groups.display", "group_name")]
    )  # fmt: skip
    compared = st.builds(lambda a, o: lambda v: f'{a[0]} {o} "{getattr(v, a[1])}"', attributes, operators)
    matched = st.just(lambda v: f'emails[type eq "work" and value eq "{v.email}"]')
    entras = st.just(lambda v: f'email[type eq "work"].value eq "{v.email}"')
    role = st.just(lambda v: f'roles[primary eq "True" and value eq "{v.role}"]')
    present = st.sampled_from(["id", "roles", "title", "externalId"]).map(lambda name: lambda v: f"{name} pr")
    return st.one_of(compared, matched, entras, role, present)


FILTERS = st.recursive(
    _atoms(),
    lambda below: st.one_of(
        st.builds(lambda a, b, o: lambda v: f"({a(v)} {o} {b(v)})", below, below, st.sampled_from(["and", "or"])),
        below.map(lambda a: lambda v: f"not ({a(v)})"),
    ),
    max_leaves=6,
)
LISTS = st.builds(
    lambda filter_, sort, order, count, search: ("list", filter_, sort, order, count, search),
    FILTERS,
    st.sampled_from(["", "userName", "emails.value", "meta.lastModified", "roles.value"]),
    st.sampled_from(["ascending", "descending"]),
    st.sampled_from(["0", "1", "2", "100"]),
    st.booleans(),
)


def _bulk(*operations: dict[str, Any]) -> dict[str, Any]:
    return {"schemas": [BULK_URN], "Operations": list(operations)}


def _group(name: str, **attributes: Any) -> dict[str, Any]:
    return {"schemas": [GROUP_URN], "displayName": name, **attributes}


REQUESTS: dict[str, Maker] = {
    "GET": lambda v, own: ("GET", f"/Users/{v.id}", None, {}, {}),
    "GET unless known": lambda v, own: ("GET", f"/Users/{v.id}", None, {}, {"If-None-Match": v.tag}),
    "PUT": lambda v, own: ("PUT", f"/Users/{v.id}", user_body(v.email), {}, {}),
    "PATCH": lambda v, own: ("PATCH", f"/Users/{v.id}", patch_body(replace("active", False)), {}, {}),
    "PATCH of a version": lambda v, own: (
        "PATCH", f"/Users/{v.id}", patch_body(replace("title", "x")), {}, {"If-Match": v.tag},
    ),
    "DELETE": lambda v, own: ("DELETE", f"/Users/{v.id}", None, {}, {}),
    "create their address": lambda v, own: (
        "POST", "/Users", user_body(v.email, userName=v.user_name, externalId=v.external_id), {}, {},
    ),
    "create with their id": lambda v, own: ("POST", "/Users", user_body(id=v.id, externalId=v.id), {}, {}),
    "create with their role": lambda v, own: ("POST", "/Users", user_body(roles=[{"value": v.role}]), {}, {}),
    "create with their alias": lambda v, own: ("POST", "/Users", user_body(roles=[{"value": v.alias}]), {}, {}),
    "take their address": lambda v, own: (
        "PATCH", f"/Users/{own['id']}", patch_body(replace('emails[type eq "work"].value', v.email)), {}, {},
    ),
    "take their names": lambda v, own: (
        "PATCH", f"/Users/{own['id']}", patch_body(replace("userName", v.user_name), replace("externalId", v.external_id)),
        {}, {},
    ),
    "take their role": lambda v, own: (
        "PATCH", f"/Users/{own['id']}", patch_body(replace('roles[primary eq "True"].value', v.role)), {}, {},
    ),
    "their manager": lambda v, own: (
        "PATCH", f"/Users/{own['id']}", patch_body(replace(f"{urns.ENTERPRISE_USER}:manager", v.id)), {}, {},
    ),
    "own user by their version": lambda v, own: (
        "PATCH", f"/Users/{own['id']}", patch_body(replace("title", "x")), {}, {"If-Match": 'W/"77"'},
    ),
    "their cursor": lambda v, own: ("GET", "/Users", None, {"cursor": v.cursor, "count": "1"}, {}),
    "bulk": lambda v, own: (
        "POST", "/Bulk",
        _bulk({"method": "PATCH", "path": f"/Users/{v.id}", "data": patch_body(replace("active", False))},
              {"method": "DELETE", "path": f"/Users/{v.id}", "version": v.tag},
              {"method": "POST", "path": "/Users", "bulkId": v.id, "data": user_body(v.email)},
              {"method": "PUT", "path": f"/Users/bulkId:{v.id}", "data": user_body(v.email, title="x")}),
        {}, {},
    ),
    "schemas": lambda v, own: ("GET", "/Schemas", None, {"attributes": v.role}, {}),
    "a user as a group": lambda v, own: ("GET", f"/Groups/{v.id}", None, {}, {}),
    "GET a group": lambda v, own: ("GET", f"/Groups/{v.group}", None, {}, {}),
    "PUT a group": lambda v, own: ("PUT", f"/Groups/{v.group}", _group(v.group_name), {}, {}),
    "PATCH a group": lambda v, own: ("PATCH", f"/Groups/{v.group}", patch_body(replace("displayName", "x")), {}, {}),
    "join their group": lambda v, own: (
        "PATCH", f"/Groups/{v.group}", patch_body({"op": "add", "path": "members", "value": [{"value": own["id"]}]}), {}, {},
    ),
    "empty their group": lambda v, own: (
        "PATCH", f"/Groups/{v.group}", patch_body({"op": "remove", "path": "members"}), {}, {},
    ),
    "DELETE a group": lambda v, own: ("DELETE", f"/Groups/{v.group}", None, {}, {"If-Match": v.tag}),
    "create their group": lambda v, own: ("POST", "/Groups", _group(v.group_name, externalId=v.external_id), {}, {}),
    "create a group with their user": lambda v, own: ("POST", "/Groups", _group("New", members=[{"value": v.id}]), {}, {}),
    "create a group with their group": lambda v, own: (
        "POST", "/Groups", _group("New", members=[{"value": v.group, "type": "Group"}]), {}, {},
    ),
    "find their group": lambda v, own: (
        "GET", "/Groups", None, {"filter": f'displayName eq "{v.group_name}" or members.value eq "{v.id}"'}, {},
    ),
    "find its name in any way": lambda v, own: (
        "GET", "/Groups", None,
        {"filter": f'displayName co "{v.group_name}" or id eq "{v.group}" or externalId eq "{v.external_id}"'}, {},
    ),
    "list groups": lambda v, own: ("GET", "/Groups", None, {"sortBy": "displayName", "count": "1"}, {}),
    "their cursor on groups": lambda v, own: ("GET", "/Groups", None, {"cursor": v.cursor, "count": "1"}, {}),
    "bulk with groups": lambda v, own: (
        "POST", "/Bulk",
        _bulk({"method": "POST", "path": "/Groups", "bulkId": "g", "data": _group("New", members=[{"value": own["id"]}])},
              {"method": "PATCH", "path": "/Groups/bulkId:g",
               "data": patch_body({"op": "add", "path": "members", "value": [{"value": v.id}]})},
              {"method": "DELETE", "path": f"/Groups/{v.group}"}),
        {}, {},
    ),
}  # fmt: skip


def _list_request(asked: Any, v: Values) -> Request:
    _, filter_, sort, order, count, by_post = asked
    query = {"filter": filter_(v), "sortBy": sort, "sortOrder": order, "count": count}
    if by_post:
        body: dict[str, Any] = {"schemas": [urns.SEARCH_REQUEST], **query, "count": int(count)}
        return "POST", "/Users/.search", {name: value for name, value in body.items() if value != ""}, {}, {}
    return "GET", "/Users", None, {name: value for name, value in query.items() if value}, {}


def _send(acme: Enterprise, request: Request) -> TestResponse:
    method, path, body, query, headers = request
    return acme.send(method, path, body, query=query, headers=headers)


def _neutral(answer: TestResponse, values: Values) -> tuple[int, str, list[str]]:
    """Return the response without the values, and without parts that differ in every response."""
    said = answer.text
    for name in ("id", "email", "user_name", "external_id", "role", "alias", "group", "group_name"):
        said = said.replace(getattr(values, name), f"<{name}>")
    said = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<new>", said)
    said = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "<time>", said)
    said = re.sub(r'W/\\?"[\dT:.-]+\\?"', "<version>", said)
    return answer.status_code, said, sorted(name for name, _ in answer.headers)


def _rival(enterprise: Enterprise, name: str) -> list[str]:
    tables = ("enterprises", "users", "groups", "group_members", "roles", "role_names", "changes", "provisioning_log",
              "integrations")  # fmt: skip
    column = {"enterprises": "id"}
    own = {"id": enterprise.made["id"]}
    with enterprise.app.app_context(), db.engine.connect() as connection:
        return [
            repr(row)
            for table in tables
            for row in connection.execute(
                text(f"SELECT * FROM {table} WHERE {column.get(table, 'enterprise_id')} = :id ORDER BY 1, 2"), own
            )
        ]


def _reset(acme: Enterprise, own: dict[str, Any]) -> None:
    """Restore Acme: delete created rows and restore changed ones."""
    for user in acme.find("id pr"):
        if not user["emails"][0]["value"].startswith("own") and user["id"] != own["id"]:
            acme.send("DELETE", f"/Users/{user['id']}")
    for group in acme.send("GET", "/Groups").get_json()["Resources"]:
        if group["displayName"] != "Own group":
            assert acme.send("DELETE", f"/Groups/{group['id']}").status_code == 204
    answer = acme.send("PUT", f"/Users/{own['id']}", own)
    assert answer.status_code == 200, answer.text


@pytest.mark.slow
@pytest.mark.requirement("R16")
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=st.one_of(st.sampled_from(sorted(REQUESTS)), LISTS))
def test_values_of_another_enterprise_are_answered_like_unknown_values(world: tuple[Any, ...], asked: Any) -> None:
    acme, rival, foreign, nobodys = world
    own = acme.find('emails.value sw "own0"')[0]
    before = _rival(rival, "Rival")

    answers = []
    for values in (foreign, nobodys):
        request = _list_request(asked, values) if isinstance(asked, tuple) else REQUESTS[asked](values, own)
        answer = _send(acme, request)
        answers.append(_neutral(answer, values))
        said = answer.text
        names = ("id", "email", "user_name", "external_id", "role", "alias", "group", "group_name")
        for value in (getattr(foreign, name) for name in names):
            said = said.replace(value, "") if values is foreign else said
        assert "zebra" not in said.casefold()
        assert "rival" not in said.casefold()
        _reset(acme, own)

    ordered = isinstance(asked, tuple) and _compares_order(asked[1](foreign))
    assert ordered or answers[0] == answers[1]
    assert _rival(rival, "Rival") == before
    assert "rival" not in str(log_of(acme)).casefold().replace(foreign.email, "")


def _compares_order(filter_: str) -> bool:
    """Return whether Acme's users may sort between the two values."""
    return re.search(r" (gt|le) ", filter_) is not None
