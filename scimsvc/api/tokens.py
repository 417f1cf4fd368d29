"""The blueprint of access tokens. It creates, lists and revokes tokens without a client secret."""

from flask import Response

from scimsvc.api.messages import (
    api_blueprint,
    created_answer,
    empty_answer,
    enterprise_id,
    json_answer,
    parameters,
    read_optional_object,
    resource_answer,
    takes_parameters,
)
from scimsvc.auth import grants
from scimsvc.auth.state import token_signer
from scimsvc.reports import lists
from scimsvc.web.state import caller, cursor_keys

tokens = api_blueprint("tokens")


@tokens.get("/tokens")
@takes_parameters
def list_() -> Response:
    """List the tokens, without their values."""
    return json_answer(lists.tokens(enterprise_id(), parameters(), cursor_keys()))


@tokens.post("/tokens")
def issue() -> Response:
    """Create a token. Only this response contains its value."""
    members = read_optional_object()
    issued = grants.issue_described_token(enterprise_id(), members, signer=token_signer.current, issuer=caller())
    return created_answer(issued, "tokens", tagged=False)  # the resource itself does not contain the value


@tokens.get("/tokens/<token_id>")
def show(token_id: str) -> Response:
    """Return a token, without its value."""
    return resource_answer(lists.token(enterprise_id(), token_id))


@tokens.delete("/tokens/<token_id>")
def revoke(token_id: str) -> Response:
    """Revoke a token."""
    grants.revoke_token(token_id, enterprise=enterprise_id(), signer=token_signer.current)
    return empty_answer()
