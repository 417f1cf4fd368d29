"""Convert rows to SCIM and back. Only this module maps SCIM attribute names to column names.

The document of a user is stored as the JSON text of the response, so that reading needs no encoder. It omits ``meta``
and the default role of the enterprise, because they do not depend only on the user.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, Protocol, TypeVar, cast

from scimsvc.protocol.attributes import (
    ACTIVE,
    EMAILS,
    EXTENSION,
    EXTERNAL_ID,
    USER_NAME,
    Attribute,
    Resource,
    fold,
)
from scimsvc.protocol.json_text import write_json
from scimsvc.protocol.messages import Representation
from scimsvc.protocol.resource_types import ResourceType
from scimsvc.protocol.role_elements import default_element
from scimsvc.protocol.scalars import NUMBERS, parse_instant, sortable_instant
from scimsvc.protocol.users import work_address
from scimsvc.protocol.versions import MARK, entity_tag


class View(NamedTuple):
    """The part of a response that is not stored with the user: the Tenant URL and the default role."""

    base: str
    default_role: str
    role_revision: int
    #: The IDs and names of the roles that groups give, for filters.
    group_roles: tuple[tuple[str, str], ...] = ()


class StoredUser(NamedTuple):
    """The columns of a SCIM representation. Rows of users begin with these columns."""

    id: str
    document: str
    role_id: str | None
    version: int
    created_at: str
    modified_at: str
    #: The name of the role from groups; None without one.
    group_role: str | None = None


class HasDocument(Protocol):
    """A row with the document of a user."""

    @property
    def document(self) -> str:
        """The JSON text of the document."""


class Represented(HasDocument, Protocol):
    """A row that begins with the columns of ``StoredUser``."""

    @property
    def id(self) -> str:
        """The user's ID."""

    @property
    def role_id(self) -> str | None:
        """The role that was sent; None without one."""

    @property
    def group_role(self) -> str | None:
        """The name of the role from groups; None without one."""

    @property
    def version(self) -> int:
        """The number of the version."""

    @property
    def modified_at(self) -> str:
        """The time of the version."""


RowT = TypeVar("RowT", bound="tuple[Any, ...]")


def with_groups(row: RowT, groups: Iterable[tuple[str, str]], base: str) -> RowT:
    """Return ``row``, which begins with the columns of ``StoredUser``, with the attribute ``groups`` in its document.

    ``groups`` are the IDs and displayNames of the user's groups. Without groups, the row is returned unchanged.
    """
    between = f'","$ref":"{_json_text(base)}/Groups/'
    elements = ",".join(
        f'{{"value":"{group_id}{between}{group_id}","display":{write_json(name)},"type":"direct"}}'
        for group_id, name in sorted(groups)
    )
    if not elements:
        return row
    named: Any = row
    return cast("RowT", named._replace(document=f'{named.document[:-1]},"groups":[{elements}]}}'))


def read_groups(documents: str | None) -> list[tuple[str, str]]:
    """Return the IDs and displayNames of groups from their ``documents``, separated by commas."""
    return [(group["id"], group["displayName"]) for group in _DECODE(f"[{documents}]")] if documents else []


def stored_user(row: Sequence[Any]) -> StoredUser:
    """Return the columns of ``StoredUser`` from a ``row`` that begins with them."""
    return StoredUser(*row[: len(StoredUser._fields)])


def represent(row: Represented, view: View) -> Representation:
    """Return the SCIM representation of ``row``, a ``StoredUser`` or a row that begins with its columns."""
    (text,) = represent_all((row,), view)
    is_on_default = row.role_id is None and row.group_role is None
    tag = entity_tag(row.version, row.modified_at, view.role_revision if is_on_default else None)
    return Representation(row.id, text, f"{view.base}/Users/{row.id}", tag)


def represent_all(rows: Iterable[Any], view: View) -> list[str]:
    """Return the SCIM representations of ``rows`` as JSON texts. Rows begin with the columns of ``StoredUser``.

    The texts are joined without a JSON encoder: documents are stored as JSON, and IDs and times contain no characters
    that JSON escapes. The quotation marks of ETags are escaped here.
    """
    default_role, end_on_default = _json_of_role(view.default_role), f'-{view.role_revision}\\""}}}}'
    between = f'","location":"{_json_text(view.base)}/Users/'
    return [
        f"{document[:-1]}"
        f"{'' if role_id is not None else default_role if group_role is None else _json_of_role(group_role)}"
        f',"meta":{{"resourceType":"User",'
        f'"created":"{created_at}","lastModified":"{modified_at}{between}{user_id}","version":"W/\\"'
        f"{version}-{modified_at[MARK]}{end_on_default if role_id is None and group_role is None else _END}"
        for user_id, document, role_id, version, created_at, modified_at, group_role, *_ in rows
    ]


#: The text after the version of a user who does not have the default role.
_END = '\\""}}'


@lru_cache(maxsize=1024)
def _json_of_role(name: str) -> str:
    return f',"roles":[{write_json(default_element(name))}]'


@lru_cache(maxsize=64)
def _json_text(text: str) -> str:
    return write_json(text)[1:-1]


def read_document(row: HasDocument) -> Resource:
    """Return the stored document in canonical form, without ``meta`` and without the default role."""
    user: Resource = _DECODE(row.document)
    return user


#: Like ``json.loads``, but without its checks for other types than ``str``.
_DECODE = json.JSONDecoder().decode


def user_columns(
    user: Resource, user_type: ResourceType, *, role_id: str | None, unique_user_name: bool
) -> dict[str, Any]:
    """Return every column that is derived from ``user`` (canonical, with its ``id``), its role and the enterprise.

    ``user_type`` has the extensions of the enterprise.

    Every write of a user sets all of these that may have changed. A property test compares them with the document.
    """
    return key_columns(user, role_id=role_id, unique_user_name=unique_user_name) | content_columns(user, user_type)


def key_columns(user: Resource, *, role_id: str | None, unique_user_name: bool) -> dict[str, Any]:
    """Return the columns that identify users and select them in searches, derived from ``KEY_ATTRIBUTES``."""
    user_name_key = fold(user[USER_NAME.name])
    return {
        "email_key": fold(work_address(user)),
        "has_other_emails": len(user[EMAILS.name]) > 1,
        "user_name_key": user_name_key,
        "unique_user_name_key": user_name_key if unique_user_name else None,
        "external_id": user.get(EXTERNAL_ID.name),
        "active": user[ACTIVE.name],
        "role_id": role_id,
    }


KEY_ATTRIBUTES = (USER_NAME.name, EMAILS.name, EXTERNAL_ID.name, ACTIVE.name)


def content_columns(user: Resource, user_type: ResourceType) -> dict[str, Any]:
    """Return the columns that store all of ``user``."""
    return {"document": write_json(user), "search": searchable(user, user_type)}


def searchable(resource: Resource, resource_type: ResourceType) -> dict[str, Any]:
    """Return ``resource`` for filters to compare. Python folds its text, because databases fold Unicode differently."""
    return _folding_of(resource_type)(resource)


@lru_cache(maxsize=64)
def _folding_of(resource_type: ResourceType) -> Callable[[Resource], dict[str, Any]]:
    return _folding(resource_type.attributes)


def _folding(attributes: Iterable[Attribute]) -> Callable[[Resource], dict[str, Any]]:
    """Return a function that folds the members of a resource in canonical form."""
    folds = {attribute.name: _folding_one(attribute) for attribute in attributes}
    return lambda members: {name: folds[name](value) for name, value in members.items() if name in folds}


def _folding_one(attribute: Attribute) -> Callable[[Any], Any]:
    if attribute.sub_attributes:
        fold_members = _folding(attribute.sub_attributes)
        if not attribute.multi_valued:
            return fold_members
        return lambda elements: [fold_members(element) for element in elements]
    fold_one = _instant_or_text if attribute.type == "dateTime" else fold
    if attribute.type != "dateTime" and (attribute.case_exact or attribute.type in ("boolean", *NUMBERS)):
        return _as_it_is
    return (lambda elements: list(map(fold_one, elements))) if attribute.multi_valued else fold_one


def _instant_or_text(text: str) -> str:
    """Return the time ``text`` in a form whose order is chronological."""
    instant = parse_instant(text)
    return text if instant is None else sortable_instant(instant)


def _as_it_is(value: Any) -> Any:
    return value


def directory_values(user: Resource) -> tuple[str | None, str | None]:
    """Return the directory values of title and organization (contract section 6)."""
    return user.get("title"), user.get(EXTENSION.name, {}).get("organization")


def manual_document(fields: Mapping[str, Any]) -> Resource:
    """Return the SCIM document of a manual user. It omits title and organization, which are only effective values."""
    name = {"givenName": fields.get("given_name"), "familyName": fields.get("family_name")}
    phone = fields.get("phone")
    return {
        "userName": fields["user_name"],
        "externalId": fields.get("external_id"),
        "name": name,
        "active": fields.get("active", True),
        EMAILS.name: [{"value": fields["email"], "type": "work", "primary": True}],
        "phoneNumbers": [{"value": phone, "type": "work"}] if phone else None,
    }
