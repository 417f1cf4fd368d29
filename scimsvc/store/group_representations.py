"""Convert rows of groups to SCIM and back, without their members.

The document of a group is stored as the JSON text of the response. It omits ``meta``, and ``members``, which are rows.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Protocol

from scimsvc.protocol.attributes import Resource, fold
from scimsvc.protocol.json_text import write_json
from scimsvc.protocol.messages import Representation
from scimsvc.protocol.versions import entity_tag
from scimsvc.store.representations import HasDocument


class StoredGroup(NamedTuple):
    """The columns of a SCIM representation. Rows of groups begin with these columns."""

    id: str
    document: str
    version: int
    members: int
    created_at: str
    modified_at: str


class Member(Protocol):
    """A member of a group."""

    @property
    def user_id(self) -> str:
        """The ID of the user."""

    @property
    def display(self) -> str | None:
        """The displayName of the user, or else the userName."""


def stored_group(row: Sequence[Any]) -> StoredGroup:
    """Return the columns of ``StoredGroup`` from a ``row`` that begins with them."""
    return StoredGroup(*row[: len(StoredGroup._fields)])


def represent_group(row: Any, base: str, members: Iterable[Member] | None) -> Representation:
    """Return the SCIM representation of ``row``, which begins with the columns of ``StoredGroup``.

    ``base`` is the Tenant URL. The attribute ``members`` is omitted for the ``members`` None.
    """
    location, tag = f"{base}/Groups/{row.id}", entity_tag(row.version, row.modified_at, None)
    listed = "" if members is None else f',"members":[{",".join(represent_members(members, base))}]'
    text = (
        f'{row.document[:-1]}{listed},"meta":{{"resourceType":"Group","created":"{row.created_at}",'
        f'"lastModified":"{row.modified_at}","location":{write_json(location)},"version":{write_json(tag)}}}}}'
    )
    return Representation(row.id, text, location, tag)


def represent_members(members: Iterable[Member], base: str) -> list[str]:
    """Return the JSON texts of the elements of ``members``. IDs contain no characters that JSON escapes."""
    between = f'","type":"User","$ref":"{write_json(base)[1:-1]}/Users/'
    return [f'{{"value":"{member.user_id}{between}{member.user_id}"{_display(member.display)}}}' for member in members]


def _display(text: str | None) -> str:
    return "" if text is None else f',"display":{write_json(text)}'


def read_group_document(row: HasDocument) -> Resource:
    """Return the stored document in canonical form, without ``meta`` and ``members``."""
    group: Resource = json.loads(row.document)
    return group


def group_columns(group: Resource, *, unique_group_name: bool) -> dict[str, Any]:
    """Return every column that is derived from ``group``, a canonical document without ``meta`` and ``members``.

    Every change of a document sets all of them.
    """
    name = group["displayName"]
    key = fold(name)
    return {
        "name": name,
        "name_key": key,
        "unique_name_key": key if unique_group_name else None,
        "external_id": group.get("externalId"),
        "document": write_json(group),
        "search": searchable_group(group),
    }


def searchable_group(group: Resource) -> dict[str, Any]:
    """Return ``group`` for filters to compare, with the displayName folded."""
    return {**group, "displayName": fold(group["displayName"])}
