"""Functions for the pages of integrations and of tokens: name integrations, and describe scopes."""

from datetime import timedelta
from typing import Any

from scimsvc import clock
from scimsvc.auth.clients import list_integrations
from scimsvc.console.pages import enterprise_id
from scimsvc.vocabulary import API_SCOPE, READ_SCOPE, SCIM_SCOPE, USERS_SCOPE

#: The use of the tokens of each scope.
SCOPE_WORDS = {
    SCIM_SCOPE: "SCIM, for the identity provider",
    USERS_SCOPE: "Users, profiles and changes, for your application",
    READ_SCOPE: "Reading everything except integrations, tokens and webhooks",
    API_SCOPE: "The whole enterprise API, with integrations, tokens and webhooks",
}


#: A token that was used within this time is in use. A provider's cycles are shorter.
_IN_USE = timedelta(hours=24)


def is_in_use(token: dict[str, Any]) -> bool:
    """Return whether a valid token was used lately."""
    used, is_valid = token["last_used_at"], token["revoked_at"] is None and token["days_left"] > 0
    return is_valid and used is not None and clock.now() - clock.parse_timestamp(used) < _IN_USE


def integration_names() -> dict[str, str]:
    """Return the names of the integrations of the enterprise by client ID."""
    return {each["client_id"]: each["name"] for each in list_integrations(enterprise_id())}


def scope_options(*, unlimited: bool = False) -> list[tuple[str, str]]:
    """Return the scopes for a selection, with an empty value for no limit if ``unlimited``."""
    options = [(scope, f"{words} ({scope})") for scope, words in SCOPE_WORDS.items()]
    return [*options, ("", "No limit: SCIM and the whole enterprise API")] if unlimited else options
