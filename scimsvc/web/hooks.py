"""What happens before and after every request, in its order.

One function for each, as Flask asks of each that is registered whether it is a coroutine, which costs as much as most
of them do. They are handed the request and ``g`` themselves: their proxies look them up anew at each attribute.
"""

from flask import Flask, Response, g, request

from scimsvc import clock
from scimsvc.auth.guard import guard, note_use
from scimsvc.scim.refusals import log_refusal
from scimsvc.web.announcements import announce_expiry, count
from scimsvc.web.http import runtime_of
from scimsvc.web.request_log import begin, end


def init_hooks(app: Flask) -> None:
    """Let every request of ``app`` begin and end here."""

    def before() -> None:
        sent, own = request._get_current_object(), g._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001
        own.runtime = runtime_of(app)
        begin(sent, own)
        guard(sent, own)

    def after(response: Response) -> Response:
        sent, own = request._get_current_object(), g._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001
        now = clock.now()
        count(sent, own, response)
        announce_expiry(sent, own, response, now)
        log_refusal(sent, own)
        note_use(own, response, app, now)
        end(sent, own, response)
        return response

    app.before_request(before)
    app.after_request(after)
