"""The state of the provisioning log and the change feed that an app keeps between requests."""

from flask import Flask

from scimsvc.activity.feed_reading import FeedReader, Waiters
from scimsvc.activity.followers import Followers
from scimsvc.activity.refused_clients import Allowance
from scimsvc.store.engine.database import database_of
from scimsvc.store.recording import init_recording
from scimsvc.web.state import AppState, cursor_keys, web_state

#: The number of threads if the server does not set it. More threads would compete for the interpreter's lock and make
#: the service slower.
DEFAULT_THREADS = 4

#: The limit on entries for refused clients in the provisioning log.
logged_refusals: AppState[Allowance] = AppState("logged refusals")
#: The requests that wait for changes: a quarter of the usual threads. ``scimsvc serve`` replaces this object.
waiters: AppState[Waiters] = AppState("waiters")
#: The integrations that follow feeds.
followers: AppState[Followers] = AppState("followers")


def init_activity(app: Flask) -> None:
    """Create the state of the provisioning log and the change feed for ``app``."""
    init_recording(database_of(app).engine)
    logged_refusals.init_app(app, Allowance())
    waiters.init_app(app, Waiters(DEFAULT_THREADS // 4))
    followers.init_app(app, Followers())


def feed_reader() -> FeedReader:
    """Return the reader of change feeds for the current app."""
    return FeedReader(cursor_keys(), waiters.current, web_state.current.stopping, followers.current)
