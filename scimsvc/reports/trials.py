"""Requests as an identity provider would send them, to try a change of a person without writing it.

Microsoft Entra ID sends a path for each value, and truth values as text. Other providers send one object without paths.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from scimsvc.errors import InvalidInput
from scimsvc.protocol import urns
from scimsvc.reports.user_search import search_users
from scimsvc.store.log import LogRow, list_entries_by_id
from scimsvc.store.paging import CursorKeys
from scimsvc.store.profiles import find_profile, profile_view
from scimsvc.store.tenancy import reading_in
from scimsvc.vocabulary import CREATE, DELETE, DISABLED, ENABLED, REFUSED
from scimsvc.web.providers import is_for_entra


class Trial(StrEnum):
    """A change of a person to try."""

    CREATE = "create"
    UPDATE = "update"
    ROLE = "role"
    DISABLE = "disable"
    ENABLE = "enable"
    DELETE = "delete"


#: The values of a person to try, other than the role.
VALUES = ("email", "user_name", "given_name", "family_name", "title")
#: The path of each value in a PATCH.
_PATHS = {
    "email": 'emails[type eq "work"].value',
    "user_name": "userName",
    "given_name": "name.givenName",
    "family_name": "name.familyName",
    "title": "title",
    "role": 'roles[primary eq "True"].value',
    "active": "active",
}
#: Users that are named if several match.
_NAMED = 5


@dataclass(frozen=True, slots=True)
class TrialRequest:
    """A request to try."""

    method: str
    #: Relative to the Tenant URL.
    path: str
    body: dict[str, Any] | None = None

    @property
    def members(self) -> dict[str, Any]:
        """The request as ``explain`` takes it."""
        return {"method": self.method, "path": self.path, "body": self.body}


def trial_request(trial: Trial, user_id: str, values: Mapping[str, str], provider: str | None) -> TrialRequest:
    """Return the request with which ``provider`` would make the change. Values that are empty are not sent."""
    sent = {name: value for name, value in values.items() if value}
    if trial is Trial.CREATE:
        return TrialRequest(
            "POST", "/Users", _resource(sent | {"active": True}, [urns.CORE_USER, urns.ENTERPRISE_USER])
        )
    path = f"/Users/{user_id}"
    if trial is Trial.DELETE:
        return TrialRequest("DELETE", path)
    return TrialRequest("PATCH", path, _patch(_changes(trial, sent), for_entra=is_for_entra(provider)))


def _changes(trial: Trial, sent: Mapping[str, str]) -> dict[str, Any]:
    if trial in (Trial.DISABLE, Trial.ENABLE):
        return {"active": trial is Trial.ENABLE}
    names = ("role",) if trial is Trial.ROLE else VALUES
    return {name: sent[name] for name in names if name in sent}


def _resource(values: Mapping[str, Any], schemas: list[str] | None = None) -> dict[str, Any]:
    """Return the ``values`` as the members of a User."""
    name = {
        member: values[each]
        for member, each in (("givenName", "given_name"), ("familyName", "family_name"))
        if each in values
    }
    members = {
        "schemas": schemas,
        "userName": values.get("user_name"),
        "name": name or None,
        "title": values.get("title"),
        "active": values.get("active"),
        "emails": [{"type": "work", "primary": True, "value": values["email"]}] if "email" in values else None,
        "roles": [{"primary": True, "value": values["role"]}] if "role" in values else None,
    }
    return {member: value for member, value in members.items() if value is not None}


def _patch(values: Mapping[str, Any], *, for_entra: bool) -> dict[str, Any]:
    if for_entra:
        operations = [
            {"op": "Replace", "path": _PATHS[name], "value": str(value) if isinstance(value, bool) else value}
            for name, value in values.items()
        ]
    else:
        operations = [{"op": "replace", "value": _resource(values)}]
    return {"schemas": [urns.PATCH_OP], "Operations": operations}


def outcome_in_words(explanation: Mapping[str, Any]) -> list[str]:
    """Return the sentences for the effect of a request about one user, as ``explain`` describes it."""
    user, role = explanation["user"], explanation["role"]
    if explanation["outcome"] == REFUSED:
        return ["Nothing would change, and the provider would get the error below."]
    if explanation["operation"] == CREATE:
        return [f"A user would be created with the role {role['name']}."]
    if explanation["operation"] == DELETE:
        return [f"{user['email']} would be permanently deleted."]
    changes = {change["attribute"]: change for change in explanation["changes"]}
    sentences = []
    if "active" in changes:
        sentences.append(f"The user would be {'enabled' if changes['active']['after'] else 'disabled'}.")
    if role and role["name"] != user["role"]:
        sentences.append(f"The role would change from {user['role']} to {role['name']}.")
    others = [name for name in changes if name not in ("active", "roles")]
    if others:
        sentences.append(f"Changed: {', '.join(others)}.")
    if not sentences and changes:
        sentences.append(f"The user would keep the role {user['role']}.")
    kept = [
        f"The user would keep the old value of {each['attribute']}. {each['detail']}" for each in explanation["kept"]
    ]
    if not sentences and not kept:
        sentences.append("Nothing would change, because the user already has these values.")
    return sentences + kept


def find_person(enterprise: str, text: str, keys: CursorKeys) -> dict[str, Any]:
    """Return the user whom ``text`` names: an ID, an address, or words of a search that finds one user.

    Raises ``InvalidInput``.
    """
    with reading_in(enterprise) as tenant:
        row = find_profile(tenant, text) if text else None
    if row is not None:
        return profile_view(row)
    found = search_users(enterprise, {"search": text, "limit": str(_NAMED + 1)}, keys)["items"] if text else []
    if len(found) == 1:
        return dict(found[0])
    if not found:
        raise _no_person(
            "No user matches. Enter an e-mail address, a user name or an ID." if text else "Choose a person."
        )
    named = ", ".join(user["email"] for user in found[:_NAMED])
    raise _no_person(f"Several users match: {named}{', …' if len(found) > _NAMED else ''}. Enter the address of one.")


def _no_person(problem: str) -> InvalidInput:
    return InvalidInput("The person was not found.", {"person": [problem]})


def suggest_trial(enterprise: str, entry_id: str) -> dict[str, str]:
    """Return the fields of a trial that repeats the entry of the log, as far as the log knows its values."""
    with reading_in(enterprise) as tenant:
        rows = list_entries_by_id(tenant.connection, tenant.id, [entry_id])
    if not rows or rows[0].group_id is not None:
        return {}
    row = rows[0]
    fields = {
        "change": _trial_of(row),
        "person": row.user_id,
        "email": row.email if row.operation == CREATE or row.holder_id else None,
        "user_name": row.user_name if row.operation == CREATE else None,
        "role": row.role_value,
    }
    return {name: str(value) for name, value in fields.items() if value}


def _trial_of(row: LogRow) -> Trial:
    if row.operation in (CREATE, DELETE):
        return Trial(row.operation)
    if row.effect in (DISABLED, ENABLED):
        return Trial.DISABLE if row.effect == DISABLED else Trial.ENABLE
    return Trial.ROLE if row.role_value or '"roles"' in row.changed else Trial.UPDATE
