"""The guard: nothing below the Tenant URL is answered without a SCIM token, nor below /api/v1 without an API token.

Not even 404. It runs before routing counts and before a body is read, on the clean path that the router sees.
"""

import logging

from flask import Flask, Response, g, request
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from scimsvc.services.access import refuse_while_off
from scimsvc.tokens import API, SCIM
from scimsvc.web.http import runtime
from scimsvc.web.paths import is_api, is_scim

_log = logging.getLogger("scimsvc")


def init_guard(app: Flask) -> None:
    """Let the guard see every request of ``app`` first."""

    def note_use(response: Response) -> Response:
        if "caller" in g and runtime().last_uses.note(g.caller):
            # Written when the answer is on its way, so that nobody waits for it.
            response.call_on_close(lambda: write_last_uses(app))
        return response

    app.before_request(_guard)
    app.after_request(note_use)


def write_last_uses(app: Flask) -> None:
    """Write the tokens' last uses; a database that cannot be written just now costs no more than these."""
    with app.app_context():
        try:
            runtime().last_uses.write()
        except (DBAPIError, PoolTimeout) as error:
            cause = getattr(error, "orig", None) or error
            _log.warning("the tokens' last uses cannot be written: %s", type(cause).__name__)


def _guard() -> None:
    if is_scim(request.path):
        g.caller = runtime().callers.authenticate(request.headers.get("Authorization"), scope=SCIM)
        refuse_while_off(g.caller)
        runtime().rate_limit.take(g.caller.enterprise_id)
    elif is_api(request.path):
        g.caller = runtime().callers.authenticate(request.headers.get("Authorization"), scope=API)
