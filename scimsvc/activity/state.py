"""What the provisioning log and the change feed keep for each app between requests."""

from flask import Flask

from scimsvc.activity.feed_reading import FeedReader, Waiters
from scimsvc.activity.pruning import Pruning, pruner
from scimsvc.activity.refused_clients import Allowance
from scimsvc.web.state import AppState, cursor_keys, web_state

#: Threads of a server that does not say how many it has: few, because threads that pass the interpreter's lock to and
#: fro cost more than they bring.
DEFAULT_THREADS = 4

#: How often refused clients may be written to the provisioning log.
logged_refusals: AppState[Allowance] = AppState("logged refusals")
#: Who may wait for changes; a server that knows its number of threads replaces it.
waiters: AppState[Waiters] = AppState("waiters")


def init_activity(app: Flask) -> None:
    """Keep for ``app`` what the provisioning log, the change feed and their pruning need."""
    logged_refusals.init_app(app, Allowance())
    waiters.init_app(app, Waiters(DEFAULT_THREADS))
    pruner.init_app(app, Pruning())


def feed_reader() -> FeedReader:
    """Return the reader of change feeds for the running app."""
    return FeedReader(cursor_keys(), waiters.current, web_state.current.stopping)
