"""The scopes of tokens: which scopes an integration may have, and which routes a scope allows (contract section 4)."""

import re
from collections.abc import Sequence

from scimsvc.auth.errors import Claims, InsufficientScope, InvalidScope
from scimsvc.paths import API_PREFIX
from scimsvc.protocol.errors import listed
from scimsvc.vocabulary import API_SCOPE, API_SCOPES, READ_SCOPE, SCOPES, USERS_SCOPE
from scimsvc.web.state import Caller, RequestState

_ALL = (API_SCOPE,)
_READ = (API_SCOPE, READ_SCOPE)
_USERS = (API_SCOPE, USERS_SCOPE)
_ANY = API_SCOPES
#: The scopes that allow each route below ``/api/v1``, the narrowest one last. Other routes need the scope ``api``.
ROUTES = {
    ("GET", "/enterprise"): _READ,
    ("PATCH", "/enterprise"): _ALL,
    ("GET", "/roles"): _ANY,
    ("POST", "/roles"): _ALL,
    ("GET", "/role-preview"): _ANY,
    ("GET", "/roles/<role_id>"): _ANY,
    ("PATCH", "/roles/<role_id>"): _ALL,
    ("DELETE", "/roles/<role_id>"): _ALL,
    ("POST", "/roles/<role_id>/preview"): _ALL,
    ("GET", "/groups"): _ANY,
    ("GET", "/groups/<group_id>"): _ANY,
    ("GET", "/groups/<group_id>/members"): _ANY,
    ("GET", "/attributes"): _READ,
    ("POST", "/attributes"): _ALL,
    ("GET", "/attributes/<attribute_id>"): _READ,
    ("DELETE", "/attributes/<attribute_id>"): _ALL,
    ("GET", "/integrations"): _ALL,
    ("POST", "/integrations"): _ALL,
    ("GET", "/integrations/<integration_id>"): _ALL,
    ("PATCH", "/integrations/<integration_id>"): _ALL,
    ("DELETE", "/integrations/<integration_id>"): _ALL,
    ("POST", "/integrations/<integration_id>/rotate"): _ALL,
    ("GET", "/tokens"): _ALL,
    ("POST", "/tokens"): _ALL,
    ("GET", "/tokens/<token_id>"): _ALL,
    ("DELETE", "/tokens/<token_id>"): _ALL,
    ("GET", "/users"): _ANY,
    ("POST", "/users"): _USERS,
    ("GET", "/users/<user_id>"): _ANY,
    ("PATCH", "/users/<user_id>"): _USERS,
    ("DELETE", "/users/<user_id>"): _USERS,
    ("PATCH", "/users/<user_id>/profile"): _USERS,
    ("GET", "/webhooks"): _READ,
    ("POST", "/webhooks"): _ALL,
    ("GET", "/webhooks/<webhook_id>"): _READ,
    ("PATCH", "/webhooks/<webhook_id>"): _ALL,
    ("DELETE", "/webhooks/<webhook_id>"): _ALL,
    ("POST", "/webhooks/<webhook_id>/rotate"): _ALL,
    ("POST", "/webhooks/<webhook_id>/test"): _ALL,
    ("POST", "/webhooks/<webhook_id>/replay"): _ALL,
    ("GET", "/webhooks/<webhook_id>/deliveries"): _READ,
    ("GET", "/provisioning-log"): _READ,
    ("GET", "/audit-log"): _READ,
    ("GET", "/changes"): _ANY,
    ("POST", "/explain"): _ALL,
    ("GET", "/openapi.json"): _ANY,
}


def refuse_unless_allowed(state: RequestState, caller: Caller) -> None:
    """Raise ``InsufficientScope`` if the scope of the caller's token does not allow the route of the request.

    Paths and methods that do not exist are answered 404 and 405 with any API token, and OPTIONS lists methods only.
    """
    rule = state.request.url_rule
    if caller.scope == API_SCOPE or rule is None or state.request.method == "OPTIONS":
        return
    method = "GET" if state.request.method == "HEAD" else state.request.method
    path = rule.rule.removeprefix(API_PREFIX)
    scopes = ROUTES.get((method, path), _ALL)
    if caller.scope not in scopes:
        raise InsufficientScope(
            f"The scope {caller.scope} of this API token does not allow {method} {path}. Request a token with "
            f"{' or '.join(f'scope={scope}' for scope in reversed(scopes))}, from an integration that allows it.",
            Claims(caller.enterprise_id, caller.token_id, caller.token_expires_at, caller.scope),
            needed=scopes[-1],
        )


# Limits of integrations. None is an integration without a limit.


def allows(limit: str | None, scope: str) -> bool:
    """Return whether an integration that is limited to ``limit`` may have tokens of ``scope``."""
    return limit in (None, scope) or (limit == API_SCOPE and scope in API_SCOPES)


def is_within(limit: str | None, other: str | None) -> bool:
    """Return whether the limit ``other`` allows nothing that ``limit`` does not allow."""
    return limit is None or (other is not None and allows(limit, other))


def may_give(limit: str | None, other: str | None) -> bool:
    """Return whether a token of an integration with ``limit`` may issue tokens of, or limit integrations to, ``other``.

    The scope ``api`` includes the administration of Entra's integration, but not of integrations without a limit.
    """
    return is_within(limit, other) or (limit == API_SCOPE and other is not None)


def choose_scope(requested: Sequence[str], limit: str | None) -> str:
    """Return the scope of a token for a client that requests the scopes ``requested``, or none.

    The first scope in the order of ``SCOPES`` counts that is requested and that ``limit`` allows. Raises
    ``InvalidScope``.
    """
    if not requested:
        return limit or API_SCOPE
    known = [scope for scope in SCOPES if scope in requested]
    if not known:
        raise InvalidScope(f"The requested scope does not exist. Use one of {listed(SCOPES)}.")
    allowed = [scope for scope in known if allows(limit, scope)]
    if not allowed:
        raise InvalidScope(describe_limit(limit))
    return allowed[0]


def read_scopes(text: str | None) -> list[str]:
    """Return the scopes in ``text``, separated by spaces (RFC 6749 §3.3) or by commas, which PingFederate sends.

    A scope that ends in ``/.default`` counts as none. Clients of Microsoft's token endpoint add one.
    """
    return [word for word in re.split(r"[\s,]+", text or "") if word and not word.endswith("/.default")]


def describe_limit(limit: str | None) -> str:
    """Return why an integration with ``limit`` gets no token of another scope, and what to do."""
    allowed = " or ".join(f"scope={scope}" for scope in SCOPES if allows(limit, scope))
    return (
        f"This integration is limited to the scope {limit}. Request {allowed}, leave the scope out, or use an "
        "integration that allows the other scope."
    )
