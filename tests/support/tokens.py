"""Request tokens at the token endpoint."""

from typing import Any

from werkzeug.test import TestResponse

from tests.support.client import Enterprise


def request_token(enterprise: Enterprise, **options: Any) -> TestResponse:
    """Send a token request, by default with the client's credentials."""
    form = {"grant_type": "client_credentials"} | {
        name: enterprise.made[name] for name in ("client_id", "client_secret")
    }
    given = {name: options.pop(name) for name in ("client_id", "client_secret") if name in options}
    path = options.pop("path", "/api/authenticate")
    return enterprise.app.test_client().post(path, data=form | given | {"token": "x"}, **options)
