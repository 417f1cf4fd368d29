"""Before and after every request: the factory lists the steps in their order.

One function of Flask's for each, because Flask asks of every registered function whether it is a coroutine, which takes
as long as most of the steps do.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from flask import Flask, Response, request

from scimsvc import clock
from scimsvc.web.request_log import begin, end
from scimsvc.web.state import RequestState, begin_request_state, request_state, web_state

#: A step before a request is routed to its view; it refuses the request by raising an error.
Before: TypeAlias = Callable[[RequestState], None]
#: A step after a request, whose response exists and was not sent.
After: TypeAlias = Callable[[RequestState, Response], None]


def init_hooks(app: Flask, *, before: Sequence[Before], after: Sequence[After]) -> None:
    """Run the steps of ``before`` and ``after`` with every request of ``app``; its log line comes after them."""
    settings = web_state.of(app).settings

    def before_request() -> None:
        # The request itself and not its proxy, which looks it up again at every attribute.
        state = begin(app, request._get_current_object(), settings)  # type: ignore[attr-defined]  # noqa: SLF001
        begin_request_state(state)
        for step in before:
            step(state)

    def after_request(response: Response) -> Response:
        state = request_state()
        state.answered_at = clock.now()
        for step in after:
            step(state, response)
        end(state, response)
        return response

    app.before_request(before_request)
    app.after_request(after_request)
