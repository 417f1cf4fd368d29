"""The guard: nothing below the Tenant URL is answered without a SCIM token, nor below /api/v1 without an API token.

Not even 404. It runs before routing counts and before a body is read, on the clean path that the router sees.
"""

import logging
from collections.abc import Callable
from datetime import datetime

from flask import Flask, Request, Response
from flask.ctx import _AppCtxGlobals
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from scimsvc.auth.callers import Caller, refuse_while_off
from scimsvc.auth.tokens import API, SCIM
from scimsvc.web.http import runtime_of
from scimsvc.web.paths import is_api, is_scim
from scimsvc.web.runtime import Runtime

_log = logging.getLogger("scimsvc")


def guard(sent: Request, own: _AppCtxGlobals) -> None:
    """Find out who sends the request; raises ``BearerError``, ``Forbidden`` or ``TooManyRequests``."""
    path = sent.path
    if is_scim(path):
        runtime: Runtime = own.runtime
        caller = own.caller = runtime.callers.authenticate(sent.environ.get("HTTP_AUTHORIZATION"), scope=SCIM)
        refuse_while_off(caller)
        runtime.rate_limit.take(caller.enterprise_id)
    elif is_api(path):
        own.caller = own.runtime.callers.authenticate(sent.environ.get("HTTP_AUTHORIZATION"), scope=API)


def note_use(own: _AppCtxGlobals, response: Response, app: Flask, now: datetime) -> None:
    """Note that the caller's token was used, and see whether something is to be pruned."""
    caller: Caller | None = own.get("caller")
    if caller is None:
        return
    runtime: Runtime = own.runtime
    # Done when the answer is on its way, so that nobody waits for it.
    if runtime.last_uses.note(caller, now):
        response.call_on_close(lambda: write_last_uses(app))
    if runtime.pruning.is_due(now):
        response.call_on_close(lambda: _prune(app))


def write_last_uses(app: Flask) -> None:
    """Write the tokens' last uses; a database that cannot be written just now costs no more than these."""
    _do(app, lambda runtime: runtime.last_uses.write(), "the tokens' last uses cannot be written: %s")


def _prune(app: Flask) -> None:
    _do(app, lambda runtime: runtime.pruning.prune_some(), "log and change feed cannot be pruned: %s")


def _do(app: Flask, work: Callable[[Runtime], None], warning: str) -> None:
    with app.app_context():
        try:
            work(runtime_of(app))
        except (DBAPIError, PoolTimeout) as error:
            cause = getattr(error, "orig", None) or error
            _log.warning(warning, type(cause).__name__)
