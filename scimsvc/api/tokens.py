"""The blueprint of access tokens: issued, listed and revoked without a client's secret."""

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
from scimsvc.web.state import cursor_keys

tokens = api_blueprint("tokens")


@tokens.get("/tokens")
@takes_parameters
def list_() -> Response:
    """List the tokens, without themselves."""
    return json_answer(lists.tokens(enterprise_id(), parameters(), cursor_keys()))


@tokens.post("/tokens")
def issue() -> Response:
    """Issue a token, which the answer alone has."""
    members = read_optional_object()
    issued = grants.issue_described_token(enterprise_id(), members, signer=token_signer.current)
    return created_answer(issued, "tokens", tagged=False)  # what is issued is another representation than what is shown


@tokens.get("/tokens/<token_id>")
def show(token_id: str) -> Response:
    """Show one, without itself."""
    return resource_answer(lists.token(enterprise_id(), token_id))


@tokens.delete("/tokens/<token_id>")
def revoke(token_id: str) -> Response:
    """End a token at once."""
    grants.revoke_token(token_id, enterprise=enterprise_id(), signer=token_signer.current)
    return empty_answer()
