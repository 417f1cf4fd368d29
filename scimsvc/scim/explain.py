"""Explain: what a SCIM request would do, found by doing it in a transaction that is rolled back (contract section 8).

The very code that a real request runs does it, and leaves in its ``Attempt`` what is told here.
"""

import re
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from scimsvc import clock, schemas
from scimsvc.paths import SCIM_PREFIX
from scimsvc.protocol.attributes import ROLES, fold
from scimsvc.protocol.bulk import read_bulk_request
from scimsvc.protocol.errors import InvalidSyntax, MethodNotAllowed, NotFound, NotImplementedHere, ScimError, shown
from scimsvc.protocol.json_text import InvalidJSON, read_json_text
from scimsvc.protocol.limits import Limits
from scimsvc.protocol.listing import ListQuery, read_list_query, read_search_request
from scimsvc.protocol.patch import Operation
from scimsvc.protocol.reading.tolerances import RequestNotes
from scimsvc.protocol.reasons import Reason
from scimsvc.protocol.resources import differences, work_address
from scimsvc.reports.causes import explain_cause
from scimsvc.schemas.validation import validated
from scimsvc.scim import users
from scimsvc.scim.bulk import run_bulk
from scimsvc.scim.lists import find_users
from scimsvc.scim.request import Attempt, ScimRequest
from scimsvc.store.paging import CursorKeys
from scimsvc.store.profiles import find_profile
from scimsvc.store.representations import profile_view, read_document
from scimsvc.store.tenancy import Tenant, reading_in
from scimsvc.store.transactions import rehearsing
from scimsvc.vocabulary import BULK, OK, REFUSED, USER_OPERATIONS
from scimsvc.web.state import Caller

_SUCCESS = {"POST": 201, "DELETE": 204}
#: What the log has no entries of.
_READ = "read"


def explain(
    enterprise: str, given: Mapping[str, Any], *, base: str, keys: CursorKeys, limits: Limits
) -> dict[str, Any]:
    """Return what the SCIM request of the members of ``schemas.ExplainSchema`` would do; nothing is written.

    ``path`` may be below the Tenant URL, below the host, or a whole URL; ``body`` is a JSON value, or its text.
    Raises ``InvalidInput`` where it cannot be told what is asked.
    """
    told, _ = _rehearse(enterprise, validated(schemas.EXPLAIN, given), base, keys, limits)
    return told


def explain_in_words(
    enterprise: str, given: Mapping[str, Any], *, base: str, keys: CursorKeys, limits: Limits
) -> dict[str, Any]:
    """Return the same with ``why`` a request would be refused, in words and with what mends it, else None.

    The ``body`` may be what was sent from its first line on, ``PATCH /Users/… HTTP/1.1``; then that is what is asked.
    """
    told, refusal = _rehearse(enterprise, validated(schemas.EXPLAIN, read_pasted(given)), base, keys, limits)
    if refusal is None:
        return told | {"why": None}
    error, attempt = refusal
    email = told["user"]["email"] if told["user"] else None
    return told | {"why": explain_cause(error.reason, error.status, value=attempt.role_value, email=email)}


def read_pasted(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return method, path and body of a request whose body may be a whole request, with its first line and headers."""
    text = str(given.get("body") or "").strip()
    match = _FIRST_LINE.match(text)
    if match is None:
        return {**given, "body": text or None}
    _, _, body = text[match.end() :].replace("\r\n", "\n").partition("\n\n")
    if not body and "{" in text[match.end() :]:
        body = text[text.index("{", match.end()) :]
    return {"method": match["method"], "path": match["path"], "body": body.strip() or None}


_FIRST_LINE = re.compile(r"(?P<method>GET|POST|PUT|PATCH|DELETE)[ \t]+(?P<path>\S+)[^\n]*\n?")


def _rehearse(
    enterprise: str, asked: Mapping[str, Any], base: str, keys: CursorKeys, limits: Limits
) -> tuple[dict[str, Any], tuple[ScimError, Attempt] | None]:
    """Return what is told of the request and, where it is refused, for what and what was known by then."""
    method, (resource, target, parameters) = asked["method"], _read_path(asked["path"])
    with rehearsing(), reading_in(enterprise) as tenant:
        request = _request(tenant, method, resource, base, limits)
        matched = _user(tenant, target) if resource == "Users" and target else None
        try:
            found = _do(request, method, resource, target, parameters, asked.get("body"), keys)
        except ScimError as error:
            # Of a user that cannot be made the one in its way is told.
            in_the_way = _user(tenant, request.attempt.email) if method == "POST" else matched
            return _told(request) | {"user": in_the_way} | _refused(error), (error, request.attempt)
        told = _told(request) | {"user": matched, "outcome": OK, "status": _status(method, resource)}
        if found is not None:
            told["users"] = found
        if request.operations:
            told["operations"] = [_told(each) for each in request.operations]
        return told, None


def _status(method: str, resource: str) -> int:
    return _SUCCESS.get(method, 200) if resource == "Users" else 200


def _refused(error: ScimError) -> dict[str, Any]:
    return {"outcome": REFUSED, "status": error.status, "scim_type": error.scim_type, "detail": error.detail}


def _read_path(path: str) -> tuple[str, str, dict[str, str]]:
    """Return the resource, what stands behind it, and the query's parameters."""
    try:
        url = urlsplit(path)
    except ValueError:  # no URL, and as a path none that there is
        return path, "", {}
    below = url.path.partition(SCIM_PREFIX)[2] if SCIM_PREFIX in url.path else url.path
    resource, _, target = unquote(below).strip("/").partition("/")
    return resource or "Users", target, dict(parse_qsl(url.query, keep_blank_values=True))


def _request(tenant: Tenant, method: str, resource: str, base: str, limits: Limits) -> ScimRequest:
    row = tenant.row
    caller = Caller(
        enterprise_id=tenant.id,
        enterprise=row.name,
        scim_enabled=row.scim_enabled,
        reject_unknown_attributes=row.reject_unknown_attributes,
        unique_user_name=row.unique_user_name,
        integration_id="",
        integration="",
        client_id="",
        token_id="",
        token_expires_at=clock.now(),
        is_first_use=False,
    )
    operation = BULK if resource == "Bulk" else USER_OPERATIONS.get(method, _READ)
    return ScimRequest(caller, base, RequestNotes(limits), Attempt(operation), "", time.perf_counter())


def _do(
    request: ScimRequest,
    method: str,
    resource: str,
    target: str,
    parameters: Mapping[str, str],
    body: Any,
    keys: CursorKeys,
) -> list[dict[str, Any]] | None:
    """Do what the request asks; return the users whom a search finds, and None for anything else."""
    limits = request.notes.limits
    body = _read_body(body, limits)
    if resource == "Bulk" and method == "POST":
        run_bulk(request, read_bulk_request(body, limits))
        return None
    if method == "POST" and ".search" in (resource, target):
        return _found(request, read_search_request(body, limits), keys)
    if resource == "Groups":
        raise NotImplementedHere(
            "this service provisions users, not groups; in Entra, switch the group mapping off", reason=Reason.GROUPS
        )
    if resource != "Users":
        raise NotFound(f"there is no endpoint {shown(resource)} whose effect could be told; there are Users and Bulk")
    if not target and method == "GET":
        return _found(request, read_list_query(parameters, limits), keys)
    use_case = _USE_CASES.get((method, bool(target)))
    if use_case is None:
        raise MethodNotAllowed(f"{method} goes to /Users{'' if target else '/{id}'}")
    use_case(request, target, body)
    return None


_USE_CASES: dict[tuple[str, bool], Callable[[ScimRequest, str, Any], Any]] = {
    ("POST", False): lambda request, _, body: users.create_user(request, body),
    ("GET", True): lambda request, target, _: users.get_user(request, target),
    ("PUT", True): users.replace_user,
    ("PATCH", True): users.patch_user,
    ("DELETE", True): lambda request, target, _: users.delete_user(request, target),
}


def _read_body(body: Any, limits: Limits) -> Any:
    if not isinstance(body, str):
        return body
    try:
        return read_json_text(body, limits)
    except InvalidJSON as error:
        raise InvalidSyntax(str(error)) from None


def _found(request: ScimRequest, query: ListQuery, keys: CursorKeys) -> list[dict[str, Any]]:
    found = find_users(request, query, keys)
    return [{"id": user.id, "email": work_address(read_document(user))} for user in found]


# What is told.


def _told(request: ScimRequest) -> dict[str, Any]:
    attempt = request.attempt
    return {
        "operation": attempt.operation,
        "request": _understood(attempt),
        "tolerances": list(map(str, request.notes.tolerances)),
        "ignored": request.notes.ignored,
        "changes": _changes(attempt),
        "role": _role(attempt),
    }


def _understood(attempt: Attempt) -> Any:
    understood = attempt.understood
    if isinstance(understood, dict) or understood is None:
        return understood
    return [_operation(each) for each in understood]


def _operation(operation: Operation) -> dict[str, Any]:
    return {"op": operation.op, "path": str(operation.path), "value": operation.value}


def _user(tenant: Tenant, reference: str | None) -> dict[str, Any] | None:
    """Return the user with the id or the work address ``reference``, if there is one."""
    if not reference:
        return None
    row = find_profile(tenant, reference)
    return profile_view(row) if row is not None else None


def _changes(attempt: Attempt) -> list[dict[str, Any]]:
    if attempt.after is None:
        return []
    changes = [
        {"attribute": name, "before": old, "after": new}
        for name, old, new in differences(attempt.before or {"id": attempt.after.get("id")}, attempt.after)
    ]
    return changes + [
        {"attribute": name, "before": old, "after": new, "effective": True}
        for name, (old, new) in attempt.effective.items()
    ]


def _role(attempt: Attempt) -> dict[str, Any] | None:
    decision = attempt.decision
    if attempt.role is None:
        return None
    if decision is None:
        reason = "the request says nothing of roles, and the user keeps the role that it has"
    elif decision.role is None or decision.element is None:
        reason = "no role was sent: the enterprise's default role"
    else:
        value = decision.element["value"]
        names = "the name" if fold(value) == fold(decision.role.name) else "an alias"
        reason = f"{ROLES.name} has the value {shown(value)}, which is {names} of this role"
    return {"name": attempt.role, "reason": reason}
