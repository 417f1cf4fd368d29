"""Explain the effect of a SCIM request by rehearsing it (contract section 8).

The code that serves real requests processes this one too. It collects the facts in an ``Attempt``, which this module
describes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import request

from scimsvc import clock, schemas
from scimsvc.auth.provider_integrations import find_connected_provider
from scimsvc.mapping.preview import represent_role_changes
from scimsvc.protocol.attributes import ROLES, fold
from scimsvc.protocol.custom_attributes import user_type
from scimsvc.protocol.errors import ScimError, quoted
from scimsvc.protocol.groups import GROUP_NAME, GROUPS, MEMBERS
from scimsvc.protocol.json_text import is_storable
from scimsvc.protocol.patch import Operation
from scimsvc.protocol.resource_types import ResourceType
from scimsvc.protocol.resources import differences
from scimsvc.protocol.users import work_address
from scimsvc.schemas.validation import validated
from scimsvc.scim.group_lists import find_groups
from scimsvc.scim.http import scim_request_of
from scimsvc.scim.lists import find_users, read_cursor
from scimsvc.scim.locking import known_form
from scimsvc.scim.rehearsal import RehearsedRequest, answer, rehearsed_request
from scimsvc.scim.request import Attempt, ScimRequest, attribute_name
from scimsvc.store.engine.transactions import rehearsing
from scimsvc.store.feed import get_span, list_changes
from scimsvc.store.group_representations import read_group_document
from scimsvc.store.groups import read_group
from scimsvc.store.profiles import find_profile, profile_view
from scimsvc.store.representations import read_document
from scimsvc.store.tenancy import Tenant, reading_in
from scimsvc.vocabulary import OK, REFUSED, SCIM_SCOPE
from scimsvc.web.state import Caller, RequestState, cursor_keys

_FIRST_ERROR = 400
#: The entries of the feed in which changed roles are looked up. At most 11 of them are about the members.
_MOST_CHANGES = 100


@dataclass(frozen=True, slots=True)
class Explanation:
    """The effect of a request in the form of the enterprise API, and the error if the request would be refused."""

    members: dict[str, Any]
    refusal: ScimError | None
    attempt: Attempt
    #: The body of the answer.
    answer: str


def explain(enterprise: str, members: Mapping[str, Any], *, base: str) -> dict[str, Any]:
    """Return the effect of the SCIM request in ``members`` (``schemas.ExplainSchema``) without writing anything.

    ``path`` may be relative to the Tenant URL (``base``) or to the host, or a whole URL. ``body`` is a JSON value or
    its text. Raises ``InvalidInput`` if the members do not describe a request.
    """
    return explain_request(enterprise, members, base=base).members


def explain_request(enterprise: str, members: Mapping[str, Any], *, base: str) -> Explanation:
    """Return the effect of the request in ``members`` with its error and its attempt; see ``explain``."""
    fields = validated(schemas.EXPLAIN, members)
    asked = RehearsedRequest(fields["method"], fields["path"], fields.get("body"), base)
    provider = find_connected_provider(enterprise)
    with rehearsing(), reading_in(enterprise) as tenant, rehearsed_request(asked, _caller(tenant, provider)) as state:
        in_path = request.view_args or {}
        matched, group = _user(tenant, in_path.get("user_id")), _group(tenant, in_path.get("group_id"))
        newest = get_span(tenant.connection, tenant.id).newest or 0
        response = answer(state)
        scim_request = scim_request_of(state)
        if response.status_code >= _FIRST_ERROR:
            members = _explain_refusal(tenant, state, scim_request, {"user": matched, "group": group})
            assert isinstance(state.refusal, ScimError)
            return Explanation(members, state.refusal, scim_request.attempt, response.get_data(as_text=True))
        explained = _explain(scim_request) | {"user": matched, "group": group}
        explained |= {"outcome": OK, "status": response.status_code} | _found(scim_request)
        if scim_request.attempt.is_of_group:
            explained["role_changes"] = _role_changes(tenant, newest)
        if scim_request.operations:
            explained["operations"] = [_explain(each) for each in scim_request.operations]
        return Explanation(explained, None, scim_request.attempt, response.get_data(as_text=True))


def _explain_refusal(
    tenant: Tenant, state: RequestState, scim_request: ScimRequest, matched: dict[str, Any]
) -> dict[str, Any]:
    attempt, error = scim_request.attempt, state.refusal
    assert isinstance(error, ScimError)
    # A refused creation is about the user who already has the address.
    if state.request.method == "POST":
        matched["user"] = _user(tenant, attempt.email)
        matched["group"] = _group(tenant, attempt.holder_id) if attempt.is_of_group else None
    refusal = {"outcome": REFUSED, "status": error.status, "scim_type": error.scim_type, "detail": error.detail}
    return _explain(scim_request) | matched | refusal


def _caller(tenant: Tenant, provider: str | None) -> Caller:
    """Return a caller of the enterprise without an integration, for the identity ``provider``."""
    row = tenant.row
    return Caller(
        enterprise_id=tenant.id,
        enterprise=row.name,
        settings=row.request_settings,
        integration_id="",
        integration="",
        client_id="",
        token_id="",
        token_expires_at=clock.now(),
        scope=SCIM_SCOPE,
        user_type=user_type(row.custom_attributes),
        is_first_use=False,
        provider=provider,
    )


def _user(tenant: Tenant, reference: str | None) -> dict[str, Any] | None:
    """Return the user with the ID or the work address ``reference``; None if the user does not exist."""
    if not reference or not is_storable(reference):
        return None
    row = find_profile(tenant, reference)
    return profile_view(row) if row is not None else None


def _group(tenant: Tenant, group_id: str | None) -> dict[str, Any] | None:
    """Return the group with the ID ``group_id``; None if it does not exist."""
    row = read_group(tenant.connection, tenant.id, known_form(group_id)) if group_id else None
    if row is None:
        return None
    return {"id": row.id, "name": read_group_document(row)[GROUP_NAME.name], "members": row.members}


def _found(scim_request: ScimRequest) -> dict[str, Any]:
    """Return the users or the groups that a search finds."""
    query = scim_request.attempt.query
    if query is None:
        return {}
    if scim_request.attempt.is_of_group:
        groups = find_groups(scim_request, query, read_cursor(scim_request, query, cursor_keys())).rows
        return {"groups": [{"id": row.id, "name": read_group_document(row)[GROUP_NAME.name]} for row in groups]}
    users = find_users(scim_request, query, cursor_keys())
    return {"users": [{"id": user.id, "email": work_address(read_document(user))} for user in users]}


def _role_changes(tenant: Tenant, newest: int) -> list[dict[str, Any]]:
    """Return the first users whose role changed after the entry ``newest`` of the change feed."""
    return represent_role_changes(list_changes(tenant.connection, tenant.id, after=newest, limit=_MOST_CHANGES))


def _explain(scim_request: ScimRequest) -> dict[str, Any]:
    attempt, kept = scim_request.attempt, scim_request.notes.kept
    return {
        "operation": attempt.operation,
        "request": _understood(attempt),
        "tolerances": list(map(str, scim_request.notes.tolerances)),
        "ignored": scim_request.notes.ignored,
        "kept": [{"attribute": attribute_name(path), "detail": detail} for path, detail in kept.items()],
        "changes": _changes(attempt, GROUPS if attempt.is_of_group else attempt.user_type),
        "role": _role(attempt),
    }


def _understood(attempt: Attempt) -> Any:
    understood = attempt.understood
    if isinstance(understood, dict) or understood is None:
        return understood
    return [_operation(each) for each in understood]


def _operation(operation: Operation) -> dict[str, Any]:
    return {"op": operation.op, "path": str(operation.path), "value": operation.value}


def _changes(attempt: Attempt, resource_type: ResourceType) -> list[dict[str, Any]]:
    """Return the changes of the resource. Those of ``members`` are the users who leave, and the users who join."""
    if attempt.after is None:
        return []
    before = attempt.before or {"id": attempt.after.get("id")}
    changes = [
        {"attribute": name, "before": old, "after": new}
        for name, old, new in differences(before, attempt.after, resource_type)
    ]
    if attempt.removed or attempt.added:
        changes.append(
            {"attribute": MEMBERS.name, "before": _members(attempt.removed), "after": _members(attempt.added)}
        )
    return changes + [
        {"attribute": name, "before": old, "after": new, "effective": True}
        for name, (old, new) in attempt.effective.items()
    ]


def _members(user_ids: Sequence[str]) -> list[dict[str, str]] | None:
    return [{"value": each} for each in user_ids] or None


def _role(attempt: Attempt) -> dict[str, Any] | None:
    decision = attempt.decision
    if attempt.role is None:
        return None
    if decision is None:
        reason = "The request does not mention roles, so the user keeps the present role."
    elif attempt.has_group_role:
        reason = "The request has no role, so the user gets the first role that the user's groups give."
    elif decision.role is None or decision.element is None:
        reason = "The request has no role, so the user gets the enterprise's default role."
    else:
        value = decision.element["value"]
        names = "the name" if fold(value) == fold(decision.role.name) else "an alias"
        reason = f"The value {quoted(value)} of '{ROLES.name}' is {names} of this role."
    return {"name": attempt.role, "reason": reason}
