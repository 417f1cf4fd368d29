"""Report one user in detail: directory and effective values, the role and its reason, and the history."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from scimsvc.activity.log_reading import list_entries
from scimsvc.enterprises.profiles import get_profile, with_details
from scimsvc.mapping.resolve import EnterpriseRoles
from scimsvc.mapping.roles import read_enterprise_roles
from scimsvc.protocol.attributes import EXTENSION, ROLES, Resource, fold
from scimsvc.reports.causes import LONGEST_SHOWN
from scimsvc.reports.client_providers import entry_explainer
from scimsvc.store.audit import AuditRow, list_audit_rows_about
from scimsvc.store.feed import ChangeRow, list_edits
from scimsvc.store.log import LogConditions
from scimsvc.store.profiles import Profile, profile_view, role_source
from scimsvc.store.representations import read_document
from scimsvc.store.role_groups import list_role_groups
from scimsvc.store.tenancy import Tenant, reading_in
from scimsvc.store.user_groups import list_groups_of_users
from scimsvc.vocabulary import MANUAL

#: The number of entries in the history. The log has older entries.
MOST_ENTRIES = 200
#: The attributes with a directory value and an effective value: the name in the enterprise API, and the SCIM path.
_COMPARED = (
    ("email", 'emails[type eq "work"].value'), ("user_name", "userName"), ("given_name", "name.givenName"),
    ("family_name", "name.familyName"), ("phone", 'phoneNumbers[type eq "work"].value'), ("title", "title"),
    ("organization", "organization"), ("external_id", "externalId"),
)  # fmt: skip
#: Attributes that ``_further`` omits, because the page shows them elsewhere.
_SEPARATE = {"schemas", "id", "meta", "userName", "title", "externalId", "active", ROLES.name}


def show_user_details(enterprise: str, user_id: str) -> dict[str, Any]:
    """Return the user with the groups, ``values``, ``further`` attributes, ``role`` and ``history``.

    ``more`` is true if older entries exist. Raises ``NoSuchThing``.
    """
    with reading_in(enterprise) as tenant:
        row = get_profile(tenant, user_id)
        user, document = with_details(tenant, profile_view(row)), read_document(row)
        roles = read_enterprise_roles(tenant.connection, tenant.id, tenant.row.name)
        edits = _edits(tenant, user["id"])
        restricts = tenant.row.default_restricts if row.restricts is None else row.restricts
        giving = _groups_that_give(tenant, row)
    about = LogConditions(email=user["email"])
    explain = entry_explainer(enterprise)
    page = list_entries(enterprise, about, limit=MOST_ENTRIES, represent=explain, longest=LONGEST_SHOWN)
    history = sorted([*_logged(page.items), *edits], key=lambda entry: entry["time"], reverse=True)
    return {
        "user": user,
        "values": _values(user),
        "further": list(_further(document)),
        "role": _role(row, document, roles) | {"restrict_editing": bool(restricts), "groups": giving},
        "history": history[:MOST_ENTRIES],
        "more": page.next is not None or len(history) > MOST_ENTRIES,
    }


def _values(user: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the directory and the effective value of each compared attribute; the former is None for manual users."""
    provisioned = user["source"] != MANUAL
    compared = []
    for name, path in _COMPARED:
        effective = user[name]
        directory = (user["directory"] or {}).get(name, effective) if provisioned else None
        differs = provisioned and directory != effective
        compared.append(
            {"name": name, "path": path, "directory": directory, "effective": effective, "differs": differs}
        )
    return compared


def _further(document: Resource) -> Iterator[dict[str, str]]:
    """Yield the path and the text of each other value from the directory."""
    compared = {path for _, path in _COMPARED}
    for name, value in document.items():
        if name not in _SEPARATE:
            # Attributes of the extension have short names, as in the rest of the console.
            for path, text in _flattened("" if name == EXTENSION.name else name, value):
                if path not in compared:
                    yield {"path": path, "value": text}


def _flattened(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, member in value.items():
            separator = ":" if path.startswith("urn:") else "."
            yield from _flattened(f"{path}{separator}{name}" if path else name, member)
    elif isinstance(value, list):
        for element in value:
            kind = f'[type eq "{element["type"]}"]' if isinstance(element, dict) and "type" in element else ""
            members = element if isinstance(element, dict) else {"value": element}
            yield from _flattened(path + kind, {name: each for name, each in members.items() if name != "type"})
    else:
        yield path, value if isinstance(value, str) else json.dumps(value)


def _role(row: Profile, document: Resource, roles: EnterpriseRoles) -> dict[str, Any]:
    """Return the name of the role, the ``value`` from the directory, and the ``reason`` for the role.

    The reason is ``default``, ``group`` (the user's groups give it), ``name``, ``alias``, ``renamed`` (the value named
    the role before it was renamed), or ``hand`` (an administrator assigned it).
    """
    element = next(iter(document.get(ROLES.name, [])), None)
    if row.role_id is None or element is None:
        return {"name": row.role, "value": None, "reason": role_source(row)}
    value = element["value"]
    role = roles.find(value)
    if row.source == MANUAL:
        reason = "hand"
    elif role is None or role.id != row.role_id:
        reason = "renamed"
    else:
        reason = "name" if fold(value) == fold(row.role) else "alias"
    return {"name": row.role, "value": value, "reason": reason}


def _groups_that_give(tenant: Tenant, row: Profile) -> list[dict[str, str]]:
    """Return the ``id`` and ``name`` of the user's groups that give the user's role from groups."""
    if row.group_role_id is None:
        return []
    rows = list_role_groups(tenant.connection, tenant.id)
    giving = {each.group_id for each in rows if each.role_id == row.group_role_id}
    groups = list_groups_of_users(tenant.connection, tenant.id, [row.id])
    return [{"id": each.group_id, "name": each.name} for each in groups if each.group_id in giving]


def _logged(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [entry | {"kind": "scim"} for entry in entries]


def _edits(tenant: Tenant, user_id: str) -> list[dict[str, Any]]:
    """Return the user's changes outside SCIM, each with its ``actor`` if the audit log still has the entry."""
    audited = list_audit_rows_about(tenant.connection, tenant.id, user_id, limit=MOST_ENTRIES)
    entries = {row.time: row for row in audited}  # a change has the same time in both
    edits = list_edits(tenant.connection, tenant.id, user_id, limit=MOST_ENTRIES)
    return [
        {
            "kind": "edit",
            "time": row.time,
            "effect": row.type,
            "origin": row.origin,
            "actor": entries[row.time].actor_name if row.time in entries else None,
            "differences": _differences(row, entries.get(row.time)),
            "changed": json.loads(row.changed),
        }
        for row in edits
    ]


def _differences(row: ChangeRow, audited: AuditRow | None) -> list[tuple[str, Any, Any]]:
    """Return the name, the old and the new value of each attribute that the change outside SCIM changed."""
    before, after = (
        json.loads(text or "{}") for text in ((audited.before, audited.after) if audited else (None, None))
    )
    names = [name for name in (*_EDITED, *_NAMES) if name in before and name in after]
    found = [(name, _text(before[name]), _text(after[name])) for name in names]
    if "role" not in before and row.old_role and row.old_role != row.role:
        found.append(("role", row.old_role, row.role))
    return found


def _text(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


#: Names in the audit log, whose values the history shows.
_NAMES = tuple(name for name, _ in _COMPARED)
_EDITED = ("role", "active")
