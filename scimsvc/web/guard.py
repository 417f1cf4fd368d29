"""The guard: nothing below the Tenant URL is answered without a SCIM token, nor below /api/v1 without an API token.

Not even 404. It runs before routing counts and before a body is read, on the clean path that the router sees.
"""

import logging
from collections.abc import Callable

from flask import Flask, Response, g, request
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from scimsvc.services.access import authenticate, refuse_while_off
from scimsvc.services.runtime import Runtime
from scimsvc.tokens import API, SCIM
from scimsvc.web.http import runtime
from scimsvc.web.paths import is_api, is_scim

_log = logging.getLogger("scimsvc")


def init_guard(app: Flask) -> None:
    """Let the guard see every request of ``app`` first."""

    def note_use(response: Response) -> Response:
        # Done when the answer is on its way, so that nobody waits for it.
        if "caller" in g and runtime().last_uses.note(g.caller):
            response.call_on_close(lambda: write_last_uses(app))
        if "caller" in g and runtime().pruning.is_due():
            response.call_on_close(lambda: _prune(app))
        return response

    app.before_request(_guard)
    app.after_request(note_use)


def write_last_uses(app: Flask) -> None:
    """Write the tokens' last uses; a database that cannot be written just now costs no more than these."""
    _do(app, lambda runtime: runtime.last_uses.write(), "the tokens' last uses cannot be written: %s")


def _prune(app: Flask) -> None:
    _do(app, lambda runtime: runtime.pruning.prune_some(), "log and change feed cannot be pruned: %s")


def _do(app: Flask, work: Callable[[Runtime], None], warning: str) -> None:
    with app.app_context():
        try:
            work(runtime())
        except (DBAPIError, PoolTimeout) as error:
            cause = getattr(error, "orig", None) or error
            _log.warning(warning, type(cause).__name__)


def _guard() -> None:
    if is_scim(request.path):
        g.caller = authenticate(request.headers.get("Authorization"), scope=SCIM, signer=runtime().signer)
        refuse_while_off(g.caller)
        runtime().rate_limit.take(g.caller.enterprise_id)
    elif is_api(request.path):
        g.caller = authenticate(request.headers.get("Authorization"), scope=API, signer=runtime().signer)
