"""Generated requests about groups: none is an internal error, and a refused one changes nothing."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from tests.support.client import Enterprise
from tests.support.groups import memberships
from tests.support.long_runs import LONG
from tests.support.scim_groups import create_group, create_users
from tests.support.urns import ERROR_URN, GROUP_URN, PATCH_URN, SEARCH_URN, USER_URN

UNKNOWN = "00000000-0000-4000-8000-000000000000"
SETTINGS = settings(
    max_examples=1000 if LONG else 40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

TEXTS = st.sampled_from(
    ["", "x", "Sales", "{user}", "{group}", UNKNOWN, "User", "Group", "bulkId:x", "\u0000", "\ud800", "ẞ", "'; --", "\u202e", "9" * 40]
) | st.text(max_size=8)  # fmt: skip
SCALARS = st.none() | st.booleans() | st.integers(-(2**64), 2**64) | st.floats(allow_nan=False) | TEXTS
ELEMENTS = st.dictionaries(
    st.sampled_from(["value", "$ref", "type", "display", "VALUE", "displayName", "members", "x"]), SCALARS, max_size=3
)
VALUES = st.recursive(
    SCALARS | ELEMENTS,
    lambda below: st.lists(below, max_size=4) | st.dictionaries(
        st.sampled_from(["members", "displayName", "externalId", "id", "schemas", "meta", 'members[value eq "{user}"]',
                         GROUP_URN, f"{GROUP_URN}:members", "members.value", "groups", "emails"]), below, max_size=4),
    max_leaves=8,
)  # fmt: skip
PATHS = st.sampled_from(
    ["members", "displayName", "externalId", 'members[value eq "{user}"]', 'members[value eq "{group}"]', "members[",
     'members[value eq "x" or value eq "{user}"]', 'members[display eq "x"]', "members.value", "members.display",
     'members[value eq "{user}"].display', "members[value pr]", f"{GROUP_URN}:members", f"{USER_URN}:userName", GROUP_URN,
     "id", "meta.version", "schemas", "groups", "members.members", "members[members pr]", "/members", "members/0", "..."]
) | TEXTS  # fmt: skip
OPERATIONS = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "remove", "replace", "Add", "REMOVE", "move", "", 1, None])},
    optional={"path": PATHS | SCALARS, "value": VALUES, "VALUE": SCALARS, "from": TEXTS},
)
PATCHES = st.fixed_dictionaries(
    {"schemas": st.sampled_from([[PATCH_URN], [PATCH_URN.upper()], [], [GROUP_URN], None])},
    optional={"Operations": st.lists(OPERATIONS | SCALARS, max_size=4) | SCALARS},
)
GROUPS = st.fixed_dictionaries(
    {"schemas": st.sampled_from([[GROUP_URN], [GROUP_URN, USER_URN], [USER_URN], [], None, GROUP_URN, [1]])},
    optional={"displayName": VALUES, "externalId": VALUES, "members": VALUES, "id": VALUES, "meta": VALUES,
              "displayname": TEXTS, "urn:x:y": VALUES},
)  # fmt: skip
QUERIES = st.fixed_dictionaries(
    {},
    optional={
        "filter": st.sampled_from(
            ['members.value eq "{user}"', "members pr", 'members[value eq "{user}" and display co "x"]', "members",
             'displayName eq "\\u0000"', 'members eq null', 'not (members[type eq "x"])', 'displayName gt ""', "(",
             'meta.version eq "W/\\"1\\""', 'members.value co "\\ud800"', "displayName eq 1", 'userName eq "x"']
        ) | TEXTS,
        "sortBy": st.sampled_from(["displayName", "members", "members.value", "meta.version", "meta", "schemas", "userName"]) | TEXTS,
        "sortOrder": st.sampled_from(["descending", "x"]),
        "count": st.sampled_from(["0", "-1", "1", "99999999999999999999", "x"]),
        "startIndex": st.sampled_from(["0", "5", "99999999999999999999", "x"]),
        "cursor": st.sampled_from(["", "x"]),
        "attributes": st.sampled_from(["members", "members.value", "x", ",", "id,id"]),
        "excludedAttributes": st.sampled_from(["members", "members.display", "id", "x"]),
    },
)  # fmt: skip


@pytest.fixture
def ids(acme: Enterprise) -> dict[str, str]:
    user, other = create_users(acme, 2)
    return {"user": user, "group": create_group(acme, "Sales", [other])["id"]}


def _filled(value: Any, ids: dict[str, str]) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    for name, each in ids.items():
        text = text.replace("{" + name + "}", each)
    return text


def _sent(body: Any, ids: dict[str, str]) -> bytes:
    """Return the bytes of a body. Half a character becomes bytes that are not UTF-8."""
    return _filled(body, ids).encode("utf-8", "surrogatepass")


def _state(acme: Enterprise) -> tuple[Any, ...]:
    return acme.send("GET", "/Groups").data, memberships(acme)


def _assert_answered(answer: TestResponse) -> bool:
    """Assert that the answer is a success or a SCIM error, and return whether it is a success."""
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert answer.get_json(force=True)["schemas"] == [ERROR_URN]
    return answer.status_code < 400


@given(method=st.sampled_from(["POST", "PUT"]), body=GROUPS | VALUES)
@SETTINGS
def test_generated_bodies_are_accepted_or_refused(
    acme: Enterprise, ids: dict[str, str], method: str, body: Any
) -> None:
    before = _state(acme)
    path = "/Groups" if method == "POST" else f"/Groups/{ids['group']}"

    if not _assert_answered(acme.send(method, path, _sent(body, ids))):
        assert _state(acme) == before


@given(body=PATCHES | VALUES)
@SETTINGS
def test_generated_patches_are_applied_or_change_nothing(acme: Enterprise, ids: dict[str, str], body: Any) -> None:
    before = _state(acme)

    if not _assert_answered(acme.send("PATCH", f"/Groups/{ids['group']}", _sent(body, ids))):
        assert _state(acme) == before


@given(query=QUERIES, path=st.sampled_from(["/Groups", "", "/Users", "/Groups/{group}", "/Groups/.search", "/.search"]))
@SETTINGS
def test_generated_queries_are_answered_or_refused(
    acme: Enterprise, ids: dict[str, str], query: dict[str, str], path: str
) -> None:
    texts = {name: _filled(text, ids).encode("utf-8", "replace").decode() for name, text in query.items()}

    if path.endswith(".search"):
        answer = acme.send("POST", path, json.dumps({"schemas": [SEARCH_URN], **texts}))
    else:
        answer = acme.send("GET", _filled(path, ids), query=texts)

    _assert_answered(answer)
