"""Run the steps before and after every request, in the order that the factory lists them.

Flask gets only one function for each, because it checks whether every registered function is a coroutine. That check
takes as long as most steps.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias
from urllib.parse import clear_cache  # type: ignore[attr-defined]  # typeshed does not know it

from flask import Flask, Response, request

from scimsvc import clock
from scimsvc.store.engine.database import database_of
from scimsvc.web.request_log import begin, end
from scimsvc.web.state import RequestState, begin_request_state, request_state, web_state

#: A step before the view. It refuses the request by raising an error.
Before: TypeAlias = Callable[[RequestState], None]
#: A step after the view, before the response is sent.
After: TypeAlias = Callable[[RequestState, Response], None]


def after_response(state: RequestState, response: Response, function: Callable[[], None]) -> None:
    """Call ``function`` after the response is sent, with the state of the request."""

    def run() -> None:
        with state.app.app_context():
            begin_request_state(state)
            function()

    response.call_on_close(lambda: web_state.of(state.app).later(run))


def init_hooks(app: Flask, *, before: Sequence[Before], after: Sequence[After]) -> None:
    """Run the steps ``before`` and ``after`` for every request of ``app``, then log the request."""
    settings = web_state.of(app).settings
    deadlines = database_of(app).deadlines

    def before_request() -> None:
        # The request instead of its proxy, which looks the request up again for every attribute.
        state = begin(app, request._get_current_object(), settings)  # type: ignore[attr-defined]  # noqa: SLF001
        begin_request_state(state)
        deadlines.begin_request()
        for step in before:
            step(state)

    def after_request(response: Response) -> Response:
        state = request_state()
        state.answered_at = clock.now()
        for step in after:
            step(state, response)
        deadlines.end_request()
        end(state, response)
        if len(state.request.path) + len(state.request.query_string) > _LONGEST_URL:
            clear_cache()
        return response

    app.before_request(before_request)
    app.after_request(after_request)


#: Characters of a URL that urllib may keep. It caches the last 128 URLs that waitress and others split, of any length.
_LONGEST_URL = 2000
