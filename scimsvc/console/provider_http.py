"""HTTP requests to the provider of single sign-on: without redirects, and with bounded responses."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any

from scimsvc.console.provider_calls import PATIENCE, ProviderUnavailable
from scimsvc.settings.single_sign_on import Provider

#: The discovery documents and keys of large providers have less than a tenth of this.
MOST_BYTES = 1_000_000
SCOPE = "openid email"


def get_json(url: str) -> Mapping[str, Any]:
    """Return the JSON object at ``url``. Raises ``OSError`` of requests, or ``ProviderUnavailable``."""
    with _bounded_session() as session:
        response = session.get(url, allow_redirects=False, headers={"Accept": "application/json"})
        response.raise_for_status()
        document = response.json()
    if not isinstance(document, dict):
        raise ProviderUnavailable("The provider of single sign-on sent an invalid response. Try again in a minute.")
    return document


def open_session(provider: Provider, metadata: Mapping[str, Any], redirect_uri: str) -> Any:
    """Return Authlib's client of the provider. The secret is sent as the provider's ``metadata`` requires."""
    from authlib.integrations.requests_client import OAuth2Session

    methods = metadata.get("token_endpoint_auth_methods_supported")
    by_post = isinstance(methods, list) and "client_secret_basic" not in methods
    session = OAuth2Session(
        provider.client_id,
        provider.client_secret,
        token_endpoint_auth_method="client_secret_post" if by_post else "client_secret_basic",
        scope=SCOPE,
        redirect_uri=redirect_uri,
        code_challenge_method="S256",
    )
    _mount(session)
    return session


def _bounded_session() -> Any:
    from requests import Session

    session = Session()
    _mount(session)
    return session


def _mount(session: Any) -> None:
    """Bound the responses of ``session``, and never follow redirects."""
    from requests import PreparedRequest, Response
    from requests.adapters import HTTPAdapter
    from requests.exceptions import ContentDecodingError, InvalidURL
    from urllib3.exceptions import HTTPError

    class Bounded(HTTPAdapter):
        def send(self, request: PreparedRequest, *_: Any, **options: Any) -> Response:
            options |= {"stream": True, "timeout": PATIENCE.total_seconds()}
            response = super().send(request, **options)
            try:
                content = response.raw.read(MOST_BYTES + 1, decode_content=True)
            except HTTPError as error:
                raise ContentDecodingError(error) from None
            finally:
                response.close()
            if len(content) > MOST_BYTES:
                raise InvalidURL("the response is too long")
            response.raw = BytesIO(content)
            return response

    session.max_redirects = 0
    session.mount("https://", Bounded())
    session.mount("http://", Bounded())
