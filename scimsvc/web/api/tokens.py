"""The blueprint of access tokens: issued, listed and revoked without a client's secret."""

from flask import Blueprint, Response

from scimsvc.services import access_tokens, api_lists
from scimsvc.web.api.messages import answered, enterprise_id, gone, parameters, read_optional_object
from scimsvc.web.http import runtime
from scimsvc.web.paths import API_PREFIX

tokens = Blueprint("api_tokens", __name__, url_prefix=API_PREFIX)


@tokens.get("/tokens")
def list_() -> Response:
    """List the tokens, without themselves."""
    return answered(api_lists.tokens(enterprise_id(), parameters(), runtime().cursor_keys))


@tokens.post("/tokens")
def issue() -> Response:
    """Issue a token, which the answer alone has."""
    given = read_optional_object()
    return answered(access_tokens.issue_described_token(enterprise_id(), given, signer=runtime().signer), 201)


@tokens.delete("/tokens/<token_id>")
def revoke(token_id: str) -> Response:
    """End a token at once."""
    access_tokens.revoke_token(token_id, enterprise=enterprise_id(), signer=runtime().signer)
    return gone()
