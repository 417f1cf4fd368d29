"""The blueprint of the token and revocation endpoints (RFC 6749 §4.4, RFC 7009)."""

import base64
from collections.abc import Callable
from functools import partial
from urllib.parse import unquote_plus

from flask import Blueprint, Response, after_this_request, request

from scimsvc.auth.clients import Client, authenticate_client
from scimsvc.auth.errors import InvalidClient, InvalidRequest, TooManyTokenRequests, UnsupportedGrantType
from scimsvc.auth.grants import (
    grant_token,
    read_revocation_request,
    read_token_request,
    revoke_own_token,
)
from scimsvc.auth.rate_limit import TOKEN, rate_limit
from scimsvc.auth.refusal_log import refused_client_logger
from scimsvc.auth.scopes import read_scopes
from scimsvc.auth.state import token_signer
from scimsvc.auth.throttling import wrong_secrets
from scimsvc.paths import AUTHENTICATE_PATH, REVOKE_PATH
from scimsvc.protocol.errors import TooManyRequests
from scimsvc.protocol.json_text import is_storable
from scimsvc.vocabulary import SCIM_SCOPE
from scimsvc.web.client_address import counted_address
from scimsvc.web.form_parser import limit_form_of_stranger
from scimsvc.web.hooks import after_response
from scimsvc.web.messages import json_response
from scimsvc.web.state import request_state

auth = Blueprint("auth", __name__)


@auth.post(AUTHENTICATE_PATH)
def authenticate() -> Response:
    """Issue an access token for a client's ID and secret."""
    form = read_token_request(_read_form())
    if form["grant_type"] != "client_credentials":
        raise UnsupportedGrantType("The grant_type must be client_credentials.")
    client = _authenticate_client()
    long_lived = request.headers.get("X-SCIM", "").strip().lower() == "true"
    scopes = [SCIM_SCOPE] if long_lived else _requested_scopes(form.get("scope"))
    token = grant_token(client, scopes=scopes, long_lived=long_lived, signer=token_signer.current)
    answer = {name: token[name] for name in ("access_token", "expires_in", "scope")}
    return _uncached(json_response(answer | {"token_type": "Bearer"}))


@auth.post(REVOKE_PATH)
def revoke() -> Response:
    """Revoke a token of the client. The answer is 200 for an invalid token too (RFC 7009 §2.2)."""
    form = read_revocation_request(_read_form())
    revoke_own_token(_authenticate_client(), form["token"], signer=token_signer.current)
    return _uncached(json_response({}))


def _requested_scopes(in_form: str | None) -> list[str]:
    """Return the scopes of the form, or else those of the URL, which suit clients without a field for a scope."""
    return read_scopes(in_form) or read_scopes(" ".join(request.args.getlist("scope")))


def _read_form() -> dict[str, str]:
    if request.mimetype != "application/x-www-form-urlencoded":
        raise InvalidRequest("The request is not a form. Send the parameters as application/x-www-form-urlencoded.")
    limit_form_of_stranger()
    repeated = [name for name, values in request.form.lists() if len(values) > 1]
    if repeated:
        raise InvalidRequest(f"The parameter {repeated[0]} is sent more than once. Send it once.")
    return request.form.to_dict()


def _authenticate_client() -> Client:
    client_id, client_secret = _read_credentials()
    try:
        client = wrong_secrets.current.authenticate(
            counted_address(), client_id, partial(authenticate_client, client_id, client_secret)
        )
    except InvalidClient as refusal:
        if refusal.known is not None:
            log_refusal = refused_client_logger(*refusal.known, _WRONG_MESSAGE)
            after_this_request(lambda response: _then(response, log_refusal))
        raise
    _take_rate(client.enterprise_id)
    return client


def _take_rate(enterprise_id: str) -> None:
    try:
        rate_limit.current.take(enterprise_id, TOKEN)
    except TooManyRequests as refusal:
        raise TooManyTokenRequests(refusal.detail, retry_after=int(refusal.headers["Retry-After"])) from None


#: The detail in the provisioning log. The answer does not show that the client ID is known.
_WRONG_MESSAGE = "The client secret is wrong. Copy it again, or rotate it in the scimsvc console, under Integrations."


def _then(response: Response, function: Callable[[], None]) -> Response:
    after_response(request_state(), response, function)
    return response


def _read_credentials() -> tuple[str, str]:
    """Return the client ID and secret from the form or from HTTP Basic (RFC 6749 §2.3.1).

    Raises ``InvalidRequest`` if the secret is in both, and ``InvalidClient`` if a part is missing.
    """
    form = (request.form.get("client_id") or None, request.form.get("client_secret") or None)
    basic = _read_basic(request.headers.get("Authorization", ""))
    if basic is not None and form[1] is not None:
        raise InvalidRequest("The client secret is sent twice. Send it in the form or as HTTP Basic credentials.")
    client_id, client_secret = basic or form
    if not client_id or not client_secret:
        raise InvalidClient(
            "The client_id or client_secret is missing. Send both in the form, or as HTTP Basic credentials."
        )
    if not is_storable(client_id) or len(client_id) > _LONGEST_CLIENT_ID:
        client_id = ""  # refused like any other unknown client
    return client_id, client_secret


_LONGEST_CLIENT_ID = 200


def _read_basic(authorization: str) -> tuple[str, str] | None:
    scheme, _, credentials = authorization.strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(credentials.strip(), validate=True).decode("utf-8")
    except ValueError:  # invalid base64 or UTF-8
        raise InvalidClient(
            "The HTTP Basic credentials are malformed. Encode the client ID and secret as base64."
        ) from None
    client_id, _, client_secret = text.partition(":")
    return unquote_plus(client_id), unquote_plus(client_secret)


def _uncached(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    response.headers["Pragma"] = "no-cache"
    return response
