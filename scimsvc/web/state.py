"""The state of a request, and the state that a feature keeps for an app between requests.

Each request has one ``RequestState`` on Flask's ``g``, which ``request_state()`` returns. Nothing else is set on ``g``.
State that outlives requests is kept per feature and app in an ``AppState``, so two apps in one process share nothing.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Generic, NamedTuple, TypeVar

from flask import Flask, Request, current_app, g

from scimsvc.protocol.limits import Limits
from scimsvc.protocol.reading.tolerances import RequestNotes
from scimsvc.protocol.resource_types import ResourceType
from scimsvc.settings import Settings
from scimsvc.store.enterprises import RequestSettings
from scimsvc.store.paging import CursorKeys

ValueT = TypeVar("ValueT")
_NOT_YET = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Caller:
    """The integration of a valid access token, and the enterprise settings that apply to its requests."""

    enterprise_id: str
    enterprise: str
    settings: RequestSettings
    integration_id: str
    integration: str
    client_id: str
    token_id: str
    token_expires_at: datetime
    #: The scope of the token.
    scope: str
    #: The type User with the extensions of the enterprise.
    user_type: ResourceType
    #: Whether the database shows no earlier use of the token.
    is_first_use: bool
    #: The identity provider that the integration names. None for an integration that names none.
    provider: str | None = None


class Actor(NamedTuple):
    """The person or program that makes a change outside SCIM."""

    #: ``vocabulary.CONSOLE``, ``API`` or ``COMMAND``.
    type: str
    #: The e-mail address of an account, the name of an integration, or the name of a user of the shell.
    name: str
    #: The ID of an account, the client ID of an integration, or the number of a user of the shell.
    id: str | None


@dataclass(slots=True)
class RequestState:
    """The state of the current request."""

    app: Flask
    request: Request
    settings: Settings
    request_id: str
    #: When the request arrived, by ``time.perf_counter``, in seconds.
    started: float
    #: When the view returned, before the steps after the request.
    answered_at: datetime = _NOT_YET
    #: The caller. None before the guard and on paths that need no token.
    caller: Caller | None = None
    #: The account that is signed in to the console. The actor of other requests is their caller.
    actor: Actor | None = None
    #: The tolerances and ignored attributes of a SCIM request, after it is read.
    notes: RequestNotes | None = None
    #: The IDs of the users whom the request confirms: it read, found or wrote exactly these.
    confirmed: tuple[str, ...] = ()
    #: The error that refused the request.
    refusal: Exception | None = None
    #: The state of the feature that answers: a ``ScimRequest``, or the state of the console.
    feature: object = None


#: Returns ``g`` itself instead of its proxy, which makes five calls to get or set an attribute.
_g: Callable[[], Any] = g._get_current_object  # noqa: SLF001


def request_state() -> RequestState:
    """Return the state of the current request."""
    state: RequestState = _g().request_state
    return state


def find_request_state() -> RequestState | None:
    """Return the state of the current request, or None before it exists."""
    state: RequestState | None = g.get("request_state")
    return state


def begin_request_state(state: RequestState) -> None:
    """Set ``state`` as the state of the current request."""
    _g().request_state = state


def caller() -> Caller:
    """Return the caller that the guard identified."""
    caller = request_state().caller
    assert caller is not None
    return caller


def limits() -> Limits:
    """Return the limits for reading the current request."""
    return request_state().settings.limits


class AppState(Generic[ValueT]):
    """The state of one feature for each app. ``init_app`` sets it, ``of`` and ``current`` return it."""

    def __init__(self, feature: str) -> None:
        self._key = f"scimsvc.{feature}"

    def init_app(self, app: Flask, value: ValueT) -> None:
        """Keep ``value`` for ``app``."""
        app.extensions[self._key] = value

    def of(self, app: Flask) -> ValueT:
        """Return the state for ``app``."""
        value: ValueT = app.extensions[self._key]
        return value

    @property
    def current(self) -> ValueT:
        """Return the state for the current app."""
        return self.of(current_app)


@dataclass(slots=True)
class WebState:
    """The state that every part of an app needs: settings, cursor keys, and whether the process is stopping."""

    settings: Settings
    cursor_keys: CursorKeys
    #: Set when the process is asked to stop. Then ``/readyz`` answers 503, and no request waits for changes.
    stopping: threading.Event = field(default_factory=threading.Event)
    #: Runs work after an answer. A server runs it in another thread, so that the answer does not wait for it.
    later: Callable[[Callable[[], None]], None] = lambda work: work()  # a default value


web_state: AppState[WebState] = AppState("web")


def init_web(app: Flask, settings: Settings) -> None:
    """Keep the settings and cursor keys of ``app``."""
    web_state.init_app(app, WebState(settings, CursorKeys(settings.secret_keys)))


def app_settings() -> Settings:
    """Return the settings of the current app, also outside of a request."""
    return web_state.current.settings


def cursor_keys() -> CursorKeys:
    """Return the keys that the current app signs cursors with."""
    return web_state.current.cursor_keys
