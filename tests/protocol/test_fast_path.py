"""The fast path reads plain requests like the general code: the same user or operations, and the same notes."""

from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from scimsvc.protocol.attributes import EXTENSION, Attribute
from scimsvc.protocol.errors import ScimError
from scimsvc.protocol.json_text import write_json
from scimsvc.protocol.limits import DEFAULTS, Limits
from scimsvc.protocol.patch import apply_patch
from scimsvc.protocol.reading.fast_path import read_patch as read_plain_patch
from scimsvc.protocol.reading.fast_path import read_user as read_plain_user
from scimsvc.protocol.reading.leniency import read_patch, read_resource
from scimsvc.protocol.reading.tolerances import RequestNotes
from scimsvc.protocol.resources import canonical_again, canonical_resource
from scimsvc.protocol.users import USERS
from tests.support.client import patch_body
from tests.support.population import change_body, user_body
from tests.support.urns import ENTERPRISE_URN, USER_URN

TEXT = st.sampled_from(["x", "Y", "ß", ""] * 5 + ['{"value": "User"}', "x" * 513]) | st.text(max_size=5)
ODD = st.sampled_from([None, "", [], {}, "True", "no", 7, ["x"], [{"value": "x"}], {"value": "x"}])
BOOLEANS = st.sampled_from([True, False, "True", "false"] * 5 + ["maybe", None])


def values(attribute: Attribute) -> st.SearchStrategy[Any]:
    """Values mostly of the attribute's type."""
    usual = BOOLEANS if attribute.type == "boolean" else TEXT
    if attribute.sub_attributes:
        members = {sub.name: values(sub) for sub in attribute.sub_attributes}
        said = {"value": st.sampled_from(["x", "y"])} if attribute.value and attribute.multi_valued else {}
        usual = st.fixed_dictionaries(said, optional={n: v for n, v in members.items() if n not in said})
    if attribute.multi_valued:
        usual = st.lists(usual, max_size=3)
    return st.one_of([usual] * 30 + [ODD])


WORK = st.sampled_from([{"value": "a@x.example", "type": "work"}, {"value": "A@x.example", "type": "Work"}])
EMAILS = st.lists(WORK | st.sampled_from([
    {"value": "h@x.example"}, {"value": "no", "type": "work"}, {"value": "h@x.example", "type": "home"},
    {"value": "o@x.example", "type": "other", "primary": True}, {"value": "O@x.example", "type": "OTHER"},
]), max_size=3)  # fmt: skip

OTHERS = {each.name: values(each) for each in USERS.attributes if each.name not in ("schemas", "userName", "emails")}
ODD_NAMES = {"nickname": st.just("x"), "department": st.just("x"), f"{ENTERPRISE_URN}:division": st.just("x")}


@st.composite
def bodies(draw: st.DrawFn) -> dict[str, Any]:
    """Bodies with a few of the attributes."""
    others = draw(st.sets(st.sampled_from([*OTHERS, *OTHERS, *ODD_NAMES]), max_size=6))
    body: dict[str, Any] = {name: draw((OTHERS | ODD_NAMES)[name]) for name in others}
    body["schemas"] = draw(st.sampled_from([[USER_URN, ENTERPRISE_URN]] * 6 + [[USER_URN, "urn:x"], [], "no"]))
    body["userName"] = draw(st.sampled_from(["Given Family"] * 6 + ["", None]))
    body["emails"] = draw(st.one_of([st.lists(WORK, min_size=1, max_size=1)] * 4 + [EMAILS]))
    return body


LIMITS = st.sampled_from([DEFAULTS, DEFAULTS, Limits(elements=1, patch_operations=2, patch_conditions=1)])


@given(body=bodies(), limits=LIMITS)
def test_a_plain_body_is_read_as_the_general_code_reads_it(body: dict[str, Any], limits: Limits) -> None:
    notes, expected_notes = RequestNotes(limits), RequestNotes(limits)

    user = read_plain_user(body, USERS, notes, user_id="1")

    event("plain" if user is not None else "not plain")
    if user is None:
        assert notes == RequestNotes(limits)
        return
    expected = canonical_resource(read_resource(body, USERS, expected_notes) | {"id": "1"}, USERS, expected_notes)
    assert (user, notes) == (expected, expected_notes)
    assert write_json(user) == write_json(expected)  # the order of all members, too


@pytest.mark.parametrize("role", ["User", None])
def test_entras_creations_are_plain(role: str | None) -> None:
    assert read_plain_user(user_body("-1", role), USERS, RequestNotes(), user_id="1") is not None
    assert read_plain_user(user_body("-1", role) | {"active": "True"}, USERS, RequestNotes(), user_id="1") is not None


@pytest.mark.parametrize("body", [None, [], "x", {}, {"schemas": [USER_URN]}])
def test_bodies_of_other_kinds_are_not_plain(body: Any) -> None:
    assert read_plain_user(body, USERS, RequestNotes(), user_id="1") is None


PATHS = st.sampled_from(
    [
        "title",
        "Title",
        "active",
        "userName",
        "id",
        "meta.created",
        "password",
        "roles",
        'roles[primary eq "True"].value',
        "name.familyName",
        "name",
        'emails[type eq "work"].value',
        'emails[type eq "work" and primary eq "True"].value',
        "emails.value",
        'phoneNumbers[type eq "work"].value',
        'phoneNumbers[type eq "work"].primary',
        "phoneNumber",
        'addresses[type eq "work"].locality',
        f"{ENTERPRISE_URN}:department",
        f"{ENTERPRISE_URN}.department",
        f"{ENTERPRISE_URN}:manager",
        f"{ENTERPRISE_URN}:manager.value",
        f"{USER_URN}:title",
        USER_URN,
        ENTERPRISE_URN,
        "favourite",
        "schemas",
        "emails[",
        " title ",
    ]
)
OPERATIONS = st.fixed_dictionaries(
    {
        "op": st.sampled_from(["Replace", "replace", "Add", "add", "REPLACE", "Remove", "none", ["add"]]),
        "path": PATHS,
        "value": TEXT | TEXT | BOOLEANS | ODD,
    },
    optional={"x": TEXT},
)
PATCHES = st.lists(OPERATIONS, max_size=3).map(lambda operations: patch_body(*operations))
USER = canonical_resource(
    read_resource(user_body("-1", "User"), USERS, RequestNotes()) | {"id": "1"}, USERS, RequestNotes()
)


@given(body=PATCHES | st.builds(change_body, TEXT), limits=LIMITS)
def test_a_plain_patch_is_read_as_the_general_code_reads_it(body: dict[str, Any], limits: Limits) -> None:
    notes, expected_notes = RequestNotes(limits), RequestNotes(limits)

    operations = read_plain_patch(body, USERS, notes)

    event("plain" if operations is not None else "not plain")
    if operations is None:
        assert notes == RequestNotes(limits)
        return
    assert (operations, notes) == (read_patch(body, USERS, expected_notes), expected_notes)


@given(body=PATCHES | st.builds(change_body, TEXT))
def test_only_changed_attributes_are_canonicalized_again(body: dict[str, Any]) -> None:
    try:
        operations = read_patch(body, USERS, RequestNotes())
        patched = apply_patch(USER, operations)
    except ScimError:
        return
    touched = {operation.path.target.steps[0] for operation in operations}

    def outcome(of: Any, *arguments: Any) -> tuple[Any, RequestNotes]:
        notes = RequestNotes()
        try:
            user = of(patched, *arguments, USERS, notes)
        except ScimError as error:
            return error.detail, notes
        return write_json(user), notes

    assert outcome(canonical_again, touched) == outcome(canonical_resource)


def test_entras_changes_are_plain() -> None:
    assert read_plain_patch(change_body("2"), USERS, RequestNotes()) is not None
    assert (
        read_plain_patch(patch_body({"op": "Replace", "path": "active", "value": "False"}), USERS, RequestNotes())
        is not None
    )


@pytest.mark.parametrize("body", [None, [], {}, {"schemas": [], "Operations": []}, patch_body(), patch_body("x")])
def test_other_patches_are_not_plain(body: Any) -> None:
    assert read_plain_patch(body, USERS, RequestNotes()) is None


def test_the_extension_is_in_schemas_if_it_has_values() -> None:
    body = user_body("-1", None)
    body[ENTERPRISE_URN] = {"department": ""}

    user = read_plain_user(body, USERS, RequestNotes(), user_id="1")

    assert user is not None
    assert EXTENSION.name not in user
    assert user["schemas"] == [USER_URN]
