"""The words and fields of identity providers on the pages that connect them.

The templates ``connect_*.html`` have the menus of each provider.
"""

from typing import NamedTuple

from flask import request

from scimsvc.auth.provider_integrations import find_connected_provider
from scimsvc.console.pages import enterprise_id
from scimsvc.console.state import console_state
from scimsvc.vocabulary import Provider
from scimsvc.web.providers import spoken_name

#: The ways to authenticate: a SCIM token that is pasted, and client credentials with which the provider fetches tokens.
TOKEN, OAUTH = "token", "oauth"


class Guide(NamedTuple):
    """An identity provider on the pages that connect it: its name in sentences, its fields, and its ways to connect."""

    provider: Provider
    name: str
    #: The fields for the Tenant URL and the token.
    url_field: str = "SCIM URL"
    token_field: str = "Token"  # noqa: S105  # a label
    ways: tuple[str, ...] = (TOKEN,)
    #: The fields for the token endpoint, the client ID and the client secret.
    credentials: tuple[str, str, str] = ("Token URL", "Client ID", "Client secret")

    @property
    def tab(self) -> str:
        """The name in the choice of providers."""
        return "Other" if self.provider == Provider.OTHER else self.name


GUIDES = (
    Guide(
        Provider.ENTRA,
        "Entra",
        "Tenant URL",
        "Secret Token",
        (TOKEN, OAUTH),
        ("Token Endpoint", "Client Identifier", "Client Secret"),
    ),
    Guide(Provider.OKTA, "Okta", "SCIM connector base URL", "Authorization"),
    Guide(Provider.ONELOGIN, "OneLogin", "SCIM Base URL", "SCIM Bearer Token"),
    Guide(Provider.AUTHENTIK, "authentik", "URL", "Token"),
    Guide(Provider.KEYCLOAK, "Keycloak", "SCIM 2.0 endpoint", "Auth password/token"),
    Guide(Provider.PING, "Ping Identity", "SCIM URL", "Access token", (TOKEN, OAUTH)),
    Guide(Provider.JUMPCLOUD, "JumpCloud", "Base URL", "Token Key"),
    Guide(Provider.SAILPOINT, "SailPoint", "Base URL", "API token", (TOKEN, OAUTH)),
    Guide(Provider.OTHER, "the identity provider", ways=(TOKEN, OAUTH)),
)
_BY_PROVIDER: dict[str, Guide] = {guide.provider: guide for guide in GUIDES}


#: The providers for a selection.
PROVIDER_OPTIONS = [(str(guide.provider), guide.tab) for guide in GUIDES]


def chosen_provider() -> str | None:
    """Return the provider that is selected in a form, or None."""
    provider = request.form.get("provider")
    return provider if provider in _BY_PROVIDER else None


def chosen_guide() -> Guide:
    """Return the guide that the address names, or else that of the enterprise's provider, or else Entra's."""
    named = request.args.get("provider") or find_connected_provider(enterprise_id()) or Provider.ENTRA
    return _BY_PROVIDER.get(named, _BY_PROVIDER[Provider.OTHER])


def provider_name() -> str:
    """Return the name of the enterprise's identity provider within a sentence, "Entra" if it is unknown."""
    state = console_state()
    if state.enterprise is None:
        return spoken_name(None)
    if state.provider_name is None:
        state.provider_name = spoken_name(find_connected_provider(state.enterprise["id"]))
    return state.provider_name


def chosen_way(guide: Guide) -> str:
    """Return the way to connect that the address names, or else the first one of ``guide``."""
    way = request.args.get("way", "")
    return way if way in guide.ways else guide.ways[0]
