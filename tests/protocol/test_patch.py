"""PATCH: the effect of operations on a user, in the RFC's and Entra's shapes (RFC 7644 §3.5.2)."""

from copy import deepcopy
from typing import Any

import pytest

from scimsvc.protocol.errors import InvalidPath, InvalidValue, Mutability, NoTarget, ScimError
from scimsvc.protocol.patch import Operation, apply_patch
from scimsvc.protocol.reading.leniency import read_patch
from scimsvc.protocol.reading.paths import parse_path
from scimsvc.protocol.reading.tolerances import RequestNotes
from scimsvc.protocol.resources import canonical_resource
from scimsvc.protocol.users import USERS
from tests.support.client import patch_body
from tests.support.urns import ENTERPRISE_URN, USER_URN

WORK = {"value": "work@contoso.example", "type": "work"}
HOME = {"value": "home@contoso.example", "type": "home"}
USER: dict[str, Any] = {
    "schemas": [USER_URN, ENTERPRISE_URN],
    "userName": "Test User",
    "name": {"familyName": "User", "givenName": "Test"},
    "title": "Engineer",
    "active": True,
    "emails": [WORK, HOME],
    ENTERPRISE_URN: {"department": "Retail", "manager": {"value": "7", "displayName": "Seven"}},
}
ROLE = {"value": "User", "display": "Users", "primary": True}


def add(path: str | None, value: Any) -> dict[str, Any]:
    return {"op": "add", "value": value} | ({"path": path} if path else {})


def replace(path: str | None, value: Any) -> dict[str, Any]:
    return {"op": "replace", "value": value} | ({"path": path} if path else {})


def remove(path: str, *value: Any) -> dict[str, Any]:
    return {"op": "remove", "path": path} | ({"value": value[0]} if value else {})


def patched(
    *operations: dict[str, Any], user: dict[str, Any] = USER, notes: RequestNotes | None = None
) -> dict[str, Any]:
    """Return ``user`` after ``operations``, processed like a request."""
    notes = notes or RequestNotes()
    return canonical_resource(apply_patch(user, read_patch(patch_body(*operations), USERS, notes), notes), USERS, notes)


def changes(*operations: dict[str, Any], user: dict[str, Any] = USER) -> dict[str, Any]:
    """Return the attributes that ``operations`` change. A removed attribute is None."""
    after = patched(*operations, user=user)
    return {name: after.get(name) for name in user | after if user.get(name) != after.get(name)}


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        pytest.param([replace("title", "Lead")], {"title": "Lead"}, id="replace a value"),
        pytest.param([add("title", "Lead")], {"title": "Lead"}, id="add to a single value replaces it"),
        pytest.param([add("nickName", "Nick")], {"nickName": "Nick"}, id="add what is not there"),
        pytest.param([replace("nickName", "Nick")], {"nickName": "Nick"}, id="replace what is not there"),
        pytest.param([remove("title")], {"title": None}, id="remove"),
        pytest.param([remove("title", "ENGINEER")], {"title": None}, id="remove this value"),
        pytest.param([remove("title", "Lead")], {}, id="remove a value that the user has not"),
        pytest.param([remove("nickName")], {}, id="remove what is not there"),
        pytest.param([replace("title", "")], {"title": None}, id="the empty string clears"),
        pytest.param([replace("title", None)], {"title": None}, id="null clears"),
        pytest.param([replace("title", [])], {"title": None}, id="the empty list clears"),
        pytest.param([add("title", "")], {"title": None}, id="add of the empty string clears"),
        pytest.param([replace("title", "Lead"), remove("title")], {"title": None}, id="in order, one way"),
        pytest.param([remove("title"), replace("title", "Lead")], {"title": "Lead"}, id="in order, the other way"),
        pytest.param([replace("TITLE", "Lead")], {"title": "Lead"}, id="names in any case"),
        pytest.param([replace(f"{USER_URN}:title", "Lead")], {"title": "Lead"}, id="core URN"),
        pytest.param([replace("active", "False")], {"active": False}, id="boolean as text"),
        pytest.param([add("active", "false")], {"active": False}, id="add active"),
        pytest.param([replace("active", "")], {}, id="active cleared is the default, true"),
        pytest.param([replace("name.familyName", "New")], {"name": {"familyName": "New", "givenName": "Test"}}, id="sub-attribute"),
        pytest.param([replace("name", {"familyName": "New"})], {"name": {"familyName": "New", "givenName": "Test"}}, id="complex keeps what is not named"),
        pytest.param([replace("name", {"familyName": None})], {"name": {"givenName": "Test"}}, id="null inside a complex clears"),
        pytest.param([remove("name.familyName"), remove("name.givenName")], {"name": None}, id="an empty complex goes"),
        pytest.param([remove("name", {"givenName": "Test", "familyName": "Other"})], {"name": {"familyName": "User"}}, id="remove members of a complex by value"),
        pytest.param([replace(f"{ENTERPRISE_URN}:department", "IT")], {ENTERPRISE_URN: {"department": "IT", "manager": {"value": "7", "displayName": "Seven"}}}, id="extension"),
        pytest.param([replace(f"{ENTERPRISE_URN}.department", "")], {ENTERPRISE_URN: {"manager": {"value": "7", "displayName": "Seven"}}}, id="dot after the URN"),
        pytest.param([replace(f"{ENTERPRISE_URN}:manager", "8")], {ENTERPRISE_URN: {"department": "Retail", "manager": {"value": "8", "displayName": "Seven"}}}, id="bare manager"),
        pytest.param([replace(f"{ENTERPRISE_URN}:manager", [{"$ref": None, "value": "8"}])], {ENTERPRISE_URN: {"department": "Retail", "manager": {"value": "8", "displayName": "Seven"}}}, id="wrapped manager"),
        pytest.param([replace(f"{ENTERPRISE_URN}:manager", "")], {ENTERPRISE_URN: {"department": "Retail"}}, id="manager cleared"),
        pytest.param([replace(f"{ENTERPRISE_URN}:manager.value", "")], {ENTERPRISE_URN: {"department": "Retail", "manager": {"displayName": "Seven"}}}, id="a part of the manager cleared"),
        pytest.param([remove(ENTERPRISE_URN)], {ENTERPRISE_URN: None, "schemas": [USER_URN]}, id="whole extension removed"),
        pytest.param([add(ENTERPRISE_URN, {"costCenter": "5"})], {ENTERPRISE_URN: {"costCenter": "5", "department": "Retail", "manager": {"value": "7", "displayName": "Seven"}}}, id="extension by its bare URN merges"),
        pytest.param([replace("title", [{"value": "Lead"}])], {"title": "Lead"}, id="wrapped scalar"),
        pytest.param([add("emails", {"value": "x@y.example", "type": "other"})], {"emails": [WORK, HOME, {"value": "x@y.example", "type": "other"}]}, id="add appends, one element unlisted"),
        pytest.param([add("emails", [HOME])], {}, id="add of what is there"),
        pytest.param([replace("emails", [WORK])], {"emails": [WORK]}, id="replace all elements"),
        pytest.param([replace("email", [WORK])], {"emails": [WORK]}, id="singular name"),
        pytest.param([replace("emails", "only@contoso.example")], {"emails": [{"value": "only@contoso.example", "type": "work"}]}, id="one bare address"),
        pytest.param([remove("emails", [{"value": "HOME@contoso.example"}])], {"emails": [WORK]}, id="remove by value list"),
        pytest.param([remove("emails", [{"type": "home"}])], {"emails": [WORK]}, id="remove by other members"),
        pytest.param([remove("emails", [{"value": "nobody@contoso.example"}])], {}, id="remove elements that are not there"),
        pytest.param([remove('emails[type eq "home"]')], {"emails": [WORK]}, id="remove matching elements"),
        pytest.param([remove('emails[type eq "home"].type')], {"emails": [WORK, {"value": HOME["value"]}]}, id="remove a sub-attribute of matching elements"),
        pytest.param([remove('emails[type eq "fax"]')], {}, id="remove elements that match nothing"),
        pytest.param([remove('emails[type eq "home"]', [{"value": "other@contoso.example"}])], {}, id="remove matching elements by another value"),
        pytest.param([replace('emails[type eq "home"].value', "")], {"emails": [WORK]}, id="an element without value goes"),
        pytest.param([replace('emails[type eq "home"]', None)], {"emails": [WORK]}, id="null clears matching elements"),
        pytest.param([replace('emails[type eq "work"].value', "new@contoso.example")], {"emails": [{"value": "new@contoso.example", "type": "work"}, HOME]}, id="value path"),
        pytest.param([replace('emails[type eq "home"]', {"value": "new@contoso.example"})], {"emails": [WORK, {"value": "new@contoso.example", "type": "home"}]}, id="replaced elements still meet the filter"),
        pytest.param([add('emails[type eq "home"]', {"display": "Home"})], {"emails": [WORK, HOME | {"display": "Home"}]}, id="add completes matching elements"),
        pytest.param([replace('emails[type eq "home"]', {"value": HOME["value"], "display": "Home"}), replace('emails[type eq "home"]', {"value": HOME["value"]})], {}, id="replace drops what is not named"),
        pytest.param([add('phoneNumbers[type eq "work"].value', "1")], {"phoneNumbers": [{"value": "1", "type": "work"}]}, id="an element made by add"),
        pytest.param([replace('phoneNumber[type eq "mobile"].value', "1")], {"phoneNumbers": [{"value": "1", "type": "mobile"}]}, id="an element made by replace"),
        pytest.param([add('phoneNumbers[type eq "work" and primary eq "True"].value', "1")], {"phoneNumbers": [{"value": "1", "type": "work", "primary": True}]}, id="an element made of two conditions"),
        pytest.param([add('addresses[type eq "work"]', {"locality": "Here"})], {"addresses": [{"locality": "Here", "type": "work"}]}, id="an element made whole"),
        pytest.param([add('addresses[type eq "work"].locality', "Here"), add('addresses[type eq "work"].country', "X")], {"addresses": [{"locality": "Here", "country": "X", "type": "work"}]}, id="an element made once"),
        pytest.param([replace('addresses[type eq "work"].locality', "")], {}, id="nothing to say makes no element"),
        pytest.param([add("emails.display", "Both")], {"emails": [WORK | {"display": "Both"}, HOME | {"display": "Both"}]}, id="a sub-attribute of all elements"),
        pytest.param([add("phoneNumbers.value", "1")], {"phoneNumbers": [{"value": "1"}]}, id="a sub-attribute of no element makes one"),
        pytest.param([add('emails[type eq "home"].primary', "True"), add('emails[type eq "work"].primary', True)], {"emails": [WORK | {"primary": True}, HOME | {"primary": False}]}, id="a new primary ends the old one"),
        pytest.param([add(None, {"title": "Lead", "name.familyName": "New", f"{ENTERPRISE_URN}:costCenter": "5", 'phoneNumbers[type eq "work"].value': "1"})], {"title": "Lead", "name": {"familyName": "New", "givenName": "Test"}, "phoneNumbers": [{"value": "1", "type": "work"}], ENTERPRISE_URN: {"costCenter": "5", "department": "Retail", "manager": {"value": "7", "displayName": "Seven"}}}, id="keys that are paths"),
        pytest.param([replace(None, {"name": {"givenName": "New"}, "emails": [WORK], USER_URN: {"title": "Lead"}})], {"name": {"familyName": "User", "givenName": "New"}, "emails": [WORK], "title": "Lead"}, id="nested values"),
        pytest.param([replace(None, {"id": "other", "meta": {}, "groups": [], "schemas": [], "password": "x", "bogus": 1})], {}, id="what is not the client's is left alone without a path"),
        pytest.param([replace("schemas", [USER_URN])], {}, id="schemas follow from what is there"),
        pytest.param([replace("password", "x")], {}, id="a password is dropped"),
        pytest.param([replace("bogus", "x"), replace("name.bogus", "x"), replace("urn:other:thing", "x")], {}, id="unknown attributes are ignored"),
        pytest.param([{"OP": "Replace", "Path": "title", "VALUE": "Lead"}], {"title": "Lead"}, id="members in any case"),
    ],
)  # fmt: skip
def test_operations_change_exactly(operations: list[dict[str, Any]], expected: dict[str, Any]) -> None:
    assert changes(*operations) == expected


@pytest.mark.parametrize(
    ("held", "operations", "roles"),
    [
        pytest.param(None, [add("roles", [{"value": "A"}])], [{"value": "A"}], id="first role"),
        pytest.param(ROLE, [add("roles", [{"value": "A"}])], [{"value": "A"}], id="add of another role replaces"),
        pytest.param(ROLE, [add("roles", ["A"])], [{"value": "A"}], id="role as a string"),
        pytest.param(None, [add('roles[primary eq "True"].value', "A")], [{"value": "A", "primary": True}], id="value path makes it"),
        pytest.param(ROLE, [replace('roles[primary eq "True"].value', "A")], [{"value": "A", "display": "Users", "primary": True}], id="value path changes it"),
        pytest.param({"value": "User", "primary": False}, [replace('roles[primary eq "True"].value', "A")], [{"value": "A", "primary": True}], id="the one role, whatever primary was"),
        pytest.param({"value": "User"}, [replace('roles[primary eq "True"].value', "A")], [{"value": "A", "primary": True}], id="the one role, without primary"),
        pytest.param({"value": "User"}, [remove('roles[primary eq "True"]')], None, id="the one role removed"),
        pytest.param({"value": "User"}, [replace('roles[primary eq "True"].value', "")], None, id="the one role cleared"),
        pytest.param(ROLE, [replace('roles[type eq "x"].value', "A")], [{"value": "A", "display": "Users", "primary": True, "type": "x"}], id="another value path changes it too"),
        pytest.param(ROLE, [add('roles[value eq "A"]', {"display": "D"})], [{"value": "A", "display": "D", "primary": True}], id="a value path that names the role"),
        pytest.param({"value": "User", "primary": False}, [add('roles[primary eq "True"]', {"value": "A"})], [{"value": "A", "primary": True}], id="add to the one role makes it primary"),
        pytest.param(ROLE, [remove("roles")], None, id="removed"),
        pytest.param(ROLE, [remove("roles", [{"value": "user"}])], None, id="removed by value"),
        pytest.param(ROLE, [remove("roles", [{"value": '{"value":"User"}'}])], None, id="removed by packed value"),
        pytest.param(ROLE, [remove('roles[value eq "A"]')], [ROLE], id="another one removed"),
        pytest.param(ROLE, [replace("roles", [])], None, id="emptied"),
        pytest.param(None, [add('roles[primary eq "True"].display', "D"), add('roles[primary eq "True"].type', "T"), add('roles[primary eq "True"].value', "A")], [{"value": "A", "display": "D", "type": "T", "primary": True}], id="value last"),
        pytest.param(None, [add('roles[primary eq "True"].display', "D")], None, id="display alone is no role"),
        pytest.param(ROLE, [add("roles", [{"value": '{"id":"1","value":"A","displayName":"B"}'}])], [{"value": "A"}], id="packed value"),
        pytest.param(ROLE, [add('roles[primary eq "True"].value', '{"id":"1","displayName":"B"}')], [{"value": "B", "display": "Users", "primary": True}], id="packed displayName"),
        pytest.param(ROLE, [replace("roles", [{"value": "A"}]), replace("roles", [{"value": "B"}])], [{"value": "B"}], id="the last wins"),
    ],
)  # fmt: skip
def test_a_user_has_one_role(held: dict[str, Any] | None, operations: list[dict[str, Any]], roles: Any) -> None:
    user = USER | ({"roles": [held]} if held else {})

    assert patched(*operations, user=user).get("roles") == roles


@pytest.mark.parametrize(
    ("operation", "error", "word"),
    [
        pytest.param(replace("id", "x"), Mutability, "id", id="id"),
        pytest.param(remove("meta.created"), Mutability, "meta.created", id="meta"),
        pytest.param(add("groups", [{"value": "x"}]), Mutability, "groups", id="groups"),
        pytest.param(remove("userName"), Mutability, "userName", id="remove a required attribute"),
        pytest.param(remove("userName", "TEST user"), Mutability, "userName", id="remove its value"),
        pytest.param(replace("userName", ""), InvalidValue, "userName", id="clear a required attribute"),
        pytest.param(remove("emails"), InvalidValue, "emails", id="remove every address"),
        pytest.param(remove("emails"), InvalidValue, "emails", id="remove all addresses"),
        pytest.param(replace('emails[type eq "work"].value', "no address"), InvalidValue, "name@example.com", id="no address"),
        pytest.param(add("emails", [{"value": "b@c.example", "type": "WORK"}]), InvalidValue, "two different", id="two work addresses"),
        pytest.param(add("emails", [HOME | {"primary": True}, WORK | {"primary": True}]), InvalidValue, "primary", id="two primaries"),
        pytest.param(add("emails.primary", True), InvalidValue, "primary", id="primary everywhere"),
        pytest.param(add('emails[type sw "x"].value', "x@y.example"), NoTarget, "emails", id="an element that cannot be made"),
        pytest.param(remove(""), NoTarget, "path", id="remove without a path"),
        pytest.param(replace("active", "maybe"), InvalidValue, "active", id="no boolean"),
        pytest.param(replace("active", 1), InvalidValue, "active", id="a number for a boolean"),
        pytest.param(replace("title", 5), InvalidValue, "title", id="a number for text"),
        pytest.param(replace("title", {"value": "x"}), InvalidValue, "title", id="an object for text"),
        pytest.param(replace("title", ["x", "y"]), InvalidValue, "title", id="a list for text"),
        pytest.param(replace("name", "x"), InvalidValue, "name", id="text for an object"),
        pytest.param(replace("emails", [5]), InvalidValue, "emails", id="a number for an element"),
        pytest.param(replace("emails", [{"value": {}}, {"value": 5}]), InvalidValue, "emails.value", id="a number in an element"),
        pytest.param(replace("roles", [{"value": '{"id":"1"}'}]), InvalidValue, "displayName", id="an assignment without a role"),
        pytest.param(replace("title", "x" * 3) | {"path": ["title"]}, InvalidPath, "path", id="a path that is a list"),
        pytest.param(replace(USER_URN, "x"), InvalidPath, "attributes", id="the core schema as a path"),
        pytest.param(replace(None, "x"), InvalidValue, "object", id="no path and no object"),
        pytest.param(replace("userName", "x" * 513), InvalidValue, "512", id="too long"),
    ],
)  # fmt: skip
def test_a_refused_operation_names_what_was_wrong(operation: dict[str, Any], error: type[ScimError], word: str) -> None:
    with pytest.raises(error) as refusal:
        patched(add("nickName", "before"), operation)

    assert word in refusal.value.detail


def test_a_failed_operation_leaves_the_original_untouched() -> None:
    user = deepcopy(USER)
    operations = [
        Operation("replace", parse_path("title", USERS), "Lead"),
        Operation("replace", parse_path('emails[type eq "work"].value', USERS), "x@y.example"),
        Operation("remove", parse_path("userName", USERS)),
    ]

    with pytest.raises(Mutability):
        apply_patch(user, operations)

    assert user == USER


@pytest.mark.parametrize(
    ("operation", "tolerances"),
    [
        (replace("title", "x"), []),
        (replace("title", "x") | {"op": "Replace"}, ["op-case"]),
        (replace("active", "True"), ["text-boolean"]),
        (replace(None, {"name.givenName": "x"}), ["path-as-key"]),
        (replace(None, {"title": "x"}), []),
        (replace("email", [WORK]), ["singular-name"]),
        (replace('phoneNumber[type eq "x"].value', "1"), ["singular-name", "element-made"]),
        (replace("title", [{"value": "x"}]), ["wrapped-scalar"]),
        (replace("emails", WORK), ["unlisted-element"]),
        (replace(f"{ENTERPRISE_URN}:manager", "8"), ["bare-element"]),
        (remove("emails", [HOME]), ["remove-with-value"]),
        (remove("nickName"), ["remove-of-absent"]),
        (remove("photos"), ["remove-of-absent"]),
        (remove("name.middleName"), ["remove-of-absent"]),
        (replace(None, {USER_URN: {"title": "x"}}), ["core-urn-object"]),
        (replace(USER_URN, {"title": "x"}), ["core-urn-object"]),
        (replace(ENTERPRISE_URN, {"department": "x"}), ["extension-urn-path"]),
        (replace(f"{ENTERPRISE_URN}.department", "x"), ["dot-after-urn"]),
        (replace("roles", [{"value": '{"value":"x"}'}]), ["packed-role"]),
        (replace("emails", [{"value": "x@y.example"}]), ["untyped-email"]),
        (add('roles[primary eq "True"].value', "x"), ["text-boolean", "element-made"]),
        (add("roles[primary eq true].value", "x"), ["element-made"]),
    ],
)
def test_each_tolerance_is_named_when_it_was_needed(operation: dict[str, Any], tolerances: list[str]) -> None:
    notes = RequestNotes()

    patched(operation, notes=notes)

    assert list(map(str, notes.tolerances)) == tolerances


def test_ignored_attributes_are_named_once_each() -> None:
    notes = RequestNotes()

    patched(
        replace("bogus", 1),
        replace(None, {"bogus": 1, "name": {"odd": 1}, "roles": [{"displayName": "x"}]}),
        notes=notes,
    )

    assert notes.ignored == ["bogus", "name.odd", "roles.displayName"]


@pytest.mark.parametrize("operation", [replace("bogus", 1), replace(None, {"bogus": 1}), replace("name", {"bogus": 1})])
def test_unknown_attributes_can_be_rejected(operation: dict[str, Any]) -> None:
    with pytest.raises(InvalidPath, match="bogus"):
        read_patch(patch_body(operation), USERS, RequestNotes(), reject_unknown=True)


def test_the_conditions_of_all_paths_together_are_bounded() -> None:
    path = f"photos[{' or '.join(['value pr'] * 100)}].type"
    body = patch_body(*[remove(path)] * 10)
    more = patch_body(*[remove(path)] * 10, remove("photos[value pr]"))

    assert len(read_patch(body, USERS, RequestNotes())) == 10
    with pytest.raises(InvalidPath, match="1001 conditions"):
        read_patch(more, USERS, RequestNotes())
