"""Check the provisioning of each enterprise: tokens, silent providers, refusals, and integrations without a need."""

from collections import defaultdict
from collections.abc import Iterator

from scimsvc.operations.doctor.findings import Finding, Kind, Severity, Subject, Topic
from scimsvc.reports.enterprise_states import EnterpriseState, list_enterprise_states
from scimsvc.store.engine.transactions import reading
from scimsvc.store.enterprises import list_enterprises
from scimsvc.store.integrations import list_integrations
from scimsvc.store.tokens import list_tokens
from scimsvc.vocabulary import API_SCOPE

_OVERVIEW, _TOKENS = "console_overview.show", "console_integrations.list_"
EXPIRED = Kind("tokens.expired", Severity.ERROR, "No valid SCIM token is left, so provisioning has stopped.", _TOKENS)
EXPIRES = Kind("tokens.expires", Severity.WARNING, "The SCIM token in use expires within days.", _TOKENS)
EXPIRES_SOON = Kind("tokens.expires_soon", Severity.INFO, "The SCIM token in use expires within weeks.", _TOKENS)
SILENT = Kind(
    "providers.silent", Severity.WARNING, "The identity provider sends nothing for longer than usual.", _OVERVIEW
)
REFUSED = Kind("providers.refused", Severity.INFO, "Requests were refused, and the cause still exists.", _OVERVIEW)
ON_HOLD = Kind(
    "providers.on_hold", Severity.WARNING, "Requests wait, because of the removal limit or a pause.", _OVERVIEW
)
TOO_WIDE = Kind(
    "integrations.too_wide", Severity.INFO, "An integration is allowed more than its tokens are used for.", _TOKENS
)


def find() -> Iterator[Finding]:
    """Find what stops or disturbs provisioning."""
    for state in list_enterprise_states():
        for name in state.states:
            finding = _of_state(state, name)
            if finding is not None:
                yield finding


def _of_state(state: EnterpriseState, name: str) -> Finding | None:
    subject, expiry = Subject(state.id, state.name), state.expires_at
    replace = "Create another token, and enter it at the identity provider."
    if name == "token expired":
        return EXPIRED.found("No SCIM token is valid.", replace, enterprise=subject)
    if name in ("token expires", "token expires soon"):
        kind = EXPIRES if name == "token expires" else EXPIRES_SOON
        return kind.found(f"The SCIM token in use expires at {expiry}.", replace, enterprise=subject)
    if name == "silent":
        return SILENT.found(
            "The provider sends no requests."
            + (f" The last one came at {state.last_request}." if state.last_request else ""),
            "Look at the provisioning job of the provider, and at the way from it to this service.",
            enterprise=subject,
        )
    if name == "errors":
        return REFUSED.found(
            f"{state.errors:,} refused requests are open.", "See the causes on the overview.", enterprise=subject
        )
    if name in ("removal limit", "on hold", "paused"):
        return ON_HOLD.found(
            f"Requests are answered 503 or 403 ({name}).",
            "Check the removals, and run 'scimsvc enterprise release' or 'resume'.",
            enterprise=subject,
        )
    return None


def find_too_wide() -> Iterator[Finding]:
    """Find integrations whose tokens were used for one scope, although they may be used for more."""
    with reading() as connection:
        used: dict[tuple[str, str], set[str]] = defaultdict(set)
        for token in list_tokens(connection):
            if token.last_used_at is not None:
                used[token.enterprise_id, token.integration_id].add(token.scope)
        for enterprise in list_enterprises(connection):
            for integration in list_integrations(connection, enterprise.id):
                scopes = used.get((enterprise.id, integration.id), set())
                if integration.scope is None and len(scopes) == 1 and API_SCOPE not in scopes:
                    (scope,) = scopes
                    yield TOO_WIDE.found(
                        f"The integration {integration.name} has no limit, and is used only with the scope {scope}.",
                        f"Run: scimsvc integration limit ENTERPRISE {integration.client_id} {scope}",
                        enterprise=Subject(enterprise.id, enterprise.name),
                    )


TOPICS = (
    Topic("providers", "All enterprises are provisioned.", find,
          (EXPIRED, EXPIRES, EXPIRES_SOON, SILENT, REFUSED, ON_HOLD)),
    Topic("integrations", "Integrations are limited to what they need.", find_too_wide, (TOO_WIDE,)),
)  # fmt: skip
