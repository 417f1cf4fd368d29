"""Reading, PATCH, filters, projections and discovery know only the type of resource that they are given."""

from typing import Any

import pytest

from scimsvc.protocol import urns
from scimsvc.protocol.attributes import ENTERPRISE_USER, Attribute, Resource, Schema
from scimsvc.protocol.discovery import resource_types, schemas
from scimsvc.protocol.errors import InvalidFilter, InvalidPath, InvalidSyntax, InvalidValue
from scimsvc.protocol.filters.matching import matches
from scimsvc.protocol.filters.parser import parse_filter
from scimsvc.protocol.listing import read_list_query
from scimsvc.protocol.patch import apply_patch
from scimsvc.protocol.projection import parse_projection
from scimsvc.protocol.reading.bodies import read_new_user, read_patch
from scimsvc.protocol.reading.leniency import read_resource
from scimsvc.protocol.reading.tolerances import RequestNotes, Tolerance
from scimsvc.protocol.resource_types import ResourceType
from scimsvc.protocol.resources import canonical_again, canonical_resource, changed_attributes
from scimsvc.protocol.users import USERS, complete_user

NOTE, SHELF, BADGES = "urn:example:2.0:Note", "urn:example:shelf:2.0:Note", "urn:example:badges:2.0:User"


def _complete_note(note: Resource, _notes: RequestNotes) -> None:
    if "subject" not in note:
        raise InvalidValue("The attribute subject is missing.")


SUBJECT = Attribute("subject", required=True)
NOTES = ResourceType(
    "Note",
    "/Notes",
    Schema(NOTE, "Note", "A note.", (SUBJECT, Attribute("lines", "complex", multi_valued=True,
                                                        sub_attributes=(Attribute("value"),)))),
    _complete_note,
    extensions=(Schema(SHELF, "Shelf", "A place.", (Attribute("board"),)),),
    singular_names={"heading": SUBJECT},
)  # fmt: skip
BADGE = Schema(BADGES, "Badges", "Badges.", (Attribute("color"), Attribute("department")))
WITH_BADGES = ResourceType("User", "/Users", USERS.core, complete_user, extensions=(ENTERPRISE_USER, BADGE))
BODY = {"schemas": [NOTE], "subject": "Milk", f"{SHELF}:board": "2", "title": "unknown here"}


def read(body: Any) -> tuple[Resource, RequestNotes]:
    notes = RequestNotes()
    return canonical_resource(read_resource(body, NOTES, notes), NOTES, notes), notes


def test_a_body_is_read_with_the_names_and_schemas_of_its_type() -> None:
    note, notes = read(BODY)

    assert note == {"schemas": [NOTE, SHELF], "subject": "Milk", SHELF: {"board": "2"}}
    assert (notes.ignored, notes.tolerances) == (["title"], [Tolerance.PATH_AS_KEY])


@pytest.mark.parametrize(
    ("body", "error", "detail"),
    [
        ({"schemas": [NOTE]}, InvalidValue, "The attribute subject is missing."),
        ({"schemas": [urns.CORE_USER], "subject": "x"}, InvalidSyntax, f"is not a Note. Add {NOTE} to its schemas."),
        ([], InvalidSyntax, r"must be a JSON object \(a SCIM Note\)"),
    ],
)
def test_the_rules_for_a_whole_body_are_those_of_its_type(body: Any, error: type[Exception], detail: str) -> None:
    with pytest.raises(error, match=detail):
        read(body)


def test_the_schema_of_another_type_is_unknown() -> None:
    assert read(BODY | {"schemas": [NOTE, urns.ENTERPRISE_USER]})[1].tolerances[0] is Tolerance.UNKNOWN_SCHEMA
    assert Tolerance.UNKNOWN_SCHEMA not in read(BODY | {"schemas": [NOTE, SHELF]})[1].tolerances


def test_a_patch_is_read_with_the_names_of_its_type() -> None:
    notes = RequestNotes()
    operations = [
        {"op": "replace", "path": "heading", "value": "Bread"},
        {"op": "add", "path": f"{NOTE}:lines", "value": [{"value": "rye"}]},
        {"op": "remove", "path": f"{SHELF.upper()}.board"},
        {"op": "add", "path": "title", "value": "x"},
    ]
    before, _ = read(BODY)

    read_operations = read_patch({"schemas": [urns.PATCH_OP], "Operations": operations}, NOTES, notes)
    touched = [operation.path.target.steps[0] for operation in read_operations]
    after = canonical_again(apply_patch(before, read_operations, notes), touched, NOTES, notes)

    assert after == {"schemas": [NOTE], "subject": "Bread", "lines": [{"value": "rye"}]}
    assert changed_attributes(before, after, NOTES) == ["subject", "lines", f"{SHELF}:board"]
    assert notes.ignored == ["title"]
    assert notes.tolerances == [Tolerance.SINGULAR_NAME, Tolerance.DOT_AFTER_URN]
    refused = {"schemas": [urns.PATCH_OP], "Operations": operations[3:]}
    with pytest.raises(InvalidPath, match="title"):
        read_patch(refused, NOTES, RequestNotes(), reject_unknown=True)


def test_filters_and_projections_use_the_names_of_their_type() -> None:
    note, _ = read(BODY)

    assert matches(parse_filter(f'subject eq "milk" and board eq "2" and {SHELF}:board pr', NOTES), note)
    assert parse_projection(f"{NOTE}:subject,title", None, NOTES).apply(note) == {
        "schemas": [NOTE, SHELF],
        "subject": "Milk",
    }
    with pytest.raises(InvalidFilter, match="userName"):
        parse_filter('userName eq "x"', NOTES)
    with pytest.raises(InvalidFilter, match="emails"):
        read_list_query({"filter": 'emails[type eq "work"].value eq "a@example.com"'}, NOTES)


def test_discovery_describes_each_type() -> None:
    base, types = "http://localhost", [WITH_BADGES, NOTES]

    assert [(each["id"], each["endpoint"], each["schemaExtensions"]) for each in resource_types(base, types)] == [
        ("User", "/Users", [{"schema": urn, "required": False} for urn in (urns.ENTERPRISE_USER, BADGES)]),
        ("Note", "/Notes", [{"schema": SHELF, "required": False}]),
    ]
    assert [each["id"] for each in schemas(base, types, unique_user_name=True, role_names=["User"])] == [
        urns.CORE_USER, urns.ENTERPRISE_USER, BADGES, NOTE, SHELF,
    ]  # fmt: skip


def test_a_user_may_have_several_extensions() -> None:
    body = {
        "schemas": [urns.CORE_USER],
        "userName": "ada",
        "emails": [{"value": "ada@example.com", "type": "work"}],
        BADGES: {"color": "red", "department": "of badges"},
        urns.ENTERPRISE_USER: {"department": "Research"},
    }
    notes = RequestNotes()

    user = read_new_user(body, WITH_BADGES, notes, user_id="1")

    assert user["schemas"] == [urns.CORE_USER, urns.ENTERPRISE_USER, BADGES]
    assert list(user)[-2:] == [urns.ENTERPRISE_USER, BADGES]
    # The name of an attribute in two extensions is that of the first one.
    assert matches(parse_filter('department eq "research" and color eq "red"', WITH_BADGES), user)
    assert read_new_user(body, USERS, notes, user_id="1")["schemas"] == [urns.CORE_USER, urns.ENTERPRISE_USER]
    assert notes == RequestNotes(notes.limits, [], [BADGES])
