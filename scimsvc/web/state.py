"""What belongs to one request, and what a feature keeps for an app between requests.

A request has one ``RequestState`` on Flask's ``g``; ``request_state()`` returns it, and nothing else is set on ``g``.
What outlives requests is kept per feature and app in an ``AppState``, so that two apps in one process share nothing.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from flask import Flask, Request, current_app, g

from scimsvc.protocol.limits import Limits
from scimsvc.protocol.reading.tolerances import RequestNotes
from scimsvc.settings import Settings
from scimsvc.store.paging import CursorKeys

ValueT = TypeVar("ValueT")
_NOT_YET = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Caller:
    """The integration that a valid access token stands for, and what its enterprise expects of requests."""

    enterprise_id: str
    enterprise: str
    scim_enabled: bool
    reject_unknown_attributes: bool
    unique_user_name: bool
    integration_id: str
    integration: str
    client_id: str
    token_id: str
    token_expires_at: datetime
    #: Whether the token was not used before, according to the database.
    is_first_use: bool


@dataclass(slots=True)
class RequestState:
    """What is known of the request that is being answered."""

    app: Flask
    request: Request
    settings: Settings
    request_id: str
    #: When the request came, by ``time.perf_counter``.
    started: float
    #: When it was answered, before what follows an answer is done.
    answered_at: datetime = _NOT_YET
    #: Who sent the request; None before the guard and on paths that need no token.
    caller: Caller | None = None
    #: What was tolerated and ignored, once a request that collects it was read.
    notes: RequestNotes | None = None
    #: The error that the request is answered with.
    refusal: Exception | None = None
    #: What the feature that answers keeps of the request: a ``ScimRequest``, or the console's state.
    feature: object = None


#: Returns ``g`` itself and not its proxy, which takes five calls to get or set an attribute.
_g: Callable[[], Any] = g._get_current_object  # noqa: SLF001


def request_state() -> RequestState:
    """Return the state of the request that is being answered."""
    state: RequestState = _g().request_state
    return state


def find_request_state() -> RequestState | None:
    """Return the state of the request, or None before it exists."""
    state: RequestState | None = g.get("request_state")
    return state


def begin_request_state(state: RequestState) -> None:
    """Let ``state`` be the state of the request that is being answered."""
    _g().request_state = state


def caller() -> Caller:
    """Return who sent the request, as the guard found out."""
    caller = request_state().caller
    assert caller is not None
    return caller


def limits() -> Limits:
    """Return the limits that the request is read within."""
    return request_state().settings.limits


class AppState(Generic[ValueT]):
    """What one feature keeps for each app: ``init_app`` sets it, ``of`` and ``current`` return it."""

    def __init__(self, feature: str) -> None:
        self._key = f"scimsvc.{feature}"

    def init_app(self, app: Flask, value: ValueT) -> None:
        """Keep ``value`` for ``app``."""
        app.extensions[self._key] = value

    def of(self, app: Flask) -> ValueT:
        """Return what is kept for ``app``."""
        value: ValueT = app.extensions[self._key]
        return value

    @property
    def current(self) -> ValueT:
        """Return what is kept for the running app."""
        return self.of(current_app)


@dataclass(slots=True)
class WebState:
    """What every part of an app needs: its settings, the keys of its cursors, and whether it is stopping."""

    settings: Settings
    cursor_keys: CursorKeys
    #: Set once the process is asked to stop: ``/readyz`` answers 503 from then on, and no request waits any more.
    stopping: threading.Event = field(default_factory=threading.Event)


web_state: AppState[WebState] = AppState("web")


def init_web(app: Flask, settings: Settings) -> None:
    """Keep the settings of ``app`` and what follows from them."""
    web_state.init_app(app, WebState(settings, CursorKeys(settings.secret_keys)))


def app_settings() -> Settings:
    """Return the running app's settings, also outside of a request."""
    return web_state.current.settings


def cursor_keys() -> CursorKeys:
    """Return the keys that the running app signs cursors with."""
    return web_state.current.cursor_keys
