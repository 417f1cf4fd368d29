"""The identity provider behind a client, for the words of errors and of the provisioning log.

An integration names its provider. For one that does not, the ``User-Agent`` of a refused request counts. A client whose
provider remains unknown gets the words for Entra, which sends no ``User-Agent``.
"""

import re
import threading
from functools import lru_cache

from flask import Flask

from scimsvc.bounded import Bounded
from scimsvc.protocol.errors import ScimError
from scimsvc.vocabulary import PROVIDER_NAMES, Provider
from scimsvc.web.state import AppState, RequestState

#: Words in the ``User-Agent`` of each provider.
_WORDS = {
    Provider.OKTA: "okta",
    Provider.ONELOGIN: "onelogin|^application/json$",
    Provider.AUTHENTIK: "authentik",
    Provider.KEYCLOAK: "keycloak",
    Provider.PING: "ping(?:federate|one|identity)",
    Provider.JUMPCLOUD: "jumpcloud",
    Provider.SAILPOINT: "sailpoint|identitynow",
    Provider.GOOGLE: "google",
    Provider.ENTRA: r"azure|\bentra\b",
}
_PATTERN = re.compile("|".join(f"(?P<{provider}>{words})" for provider, words in _WORDS.items()), re.IGNORECASE)
_LONGEST_USER_AGENT = 200


def find_provider(state: RequestState, named: str | None) -> str | None:
    """Return the provider that an integration ``named``, or else the one that the request's ``User-Agent`` names."""
    return named or _recognize(state.request.headers.get("User-Agent", "")[:_LONGEST_USER_AGENT])


@lru_cache(maxsize=256)
def _recognize(user_agent: str) -> str | None:
    match = _PATTERN.search(user_agent)
    return match.lastgroup if match is not None else None


def is_for_entra(provider: str | None) -> bool:
    """Return whether a client of ``provider`` gets the words for Entra."""
    return provider in (None, Provider.ENTRA)


def spoken_name(provider: str | None) -> str:
    """Return the name of the provider within a sentence. An unknown provider counts as Entra."""
    if is_for_entra(provider):
        return "Entra"
    return PROVIDER_NAMES.get(provider or "", "the identity provider")


class RecognizedProviders:
    """The providers of refused clients whose integration names none. They are lost when the process ends."""

    MOST = 4096

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_client: Bounded[str, str] = Bounded(self.MOST)

    def note(self, client_id: str, provider: str) -> None:
        """Remember the provider of a client."""
        with self._lock:
            self._by_client.put(client_id, provider)

    def find(self, client_id: str) -> str | None:
        """Return the provider of the client, or None if it is unknown."""
        return self._by_client.get(client_id)


recognized_providers: AppState[RecognizedProviders] = AppState("recognized providers")


def init_providers(app: Flask) -> None:
    """Create the memory of recognized providers for ``app``."""
    recognized_providers.init_app(app, RecognizedProviders())


def advise(error: ScimError, state: RequestState) -> str:
    """Set the detail of ``error`` in the words for the client of the request, and return it."""
    if error.advice is None:
        return error.detail
    caller = state.caller
    provider = find_provider(state, caller.provider if caller is not None else None)
    if caller is not None and provider is not None and caller.provider is None:
        recognized_providers.of(state.app).note(caller.client_id, provider)
    error.advise(for_entra=is_for_entra(provider))
    return error.detail
