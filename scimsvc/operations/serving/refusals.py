"""The responses of the server to requests that the app does not see, in the format of the path."""

import logging
from typing import Any

from waitress.task import ErrorTask
from waitress.utilities import Error

from scimsvc.paths import AUTHENTICATE_PATH, REVOKE_PATH, is_scim
from scimsvc.protocol.errors import ScimError
from scimsvc.protocol.json_text import write_json
from scimsvc.protocol.media_types import answer_type
from scimsvc.protocol.messages import error_message
from scimsvc.store.engine.outages import RETRY_AFTER
from scimsvc.web.errors import PROBLEM_TYPE, problem
from scimsvc.web.messages import JSON
from scimsvc.web.request_log import new_request_id

_log = logging.getLogger("scimsvc")


class Busy(Error):
    """A request waited too long for its turn."""

    code = 503
    reason = "Service Unavailable"


class RefusalTask(ErrorTask):
    """Answers a request that cannot be read, or that waited too long."""

    def execute(self) -> None:
        """Write the response and close the connection."""
        request: Any = self.request
        error = ScimError(_describe(request.error))
        error.status = request.error.code
        request_id = new_request_id()
        media_type, message = _format(request.route, error, request.headers.get("ACCEPT", ""))
        body = write_json(message).encode()
        self.status = f"{error.status} {request.error.reason}"
        self.response_headers = [
            ("Content-Type", media_type),
            ("X-Request-ID", request_id),
            ("X-Content-Type-Options", "nosniff"),
            ("Cache-Control", "no-store"),
        ]
        if isinstance(request.error, Busy):
            self.response_headers.append(("Retry-After", RETRY_AFTER))
        # The next request on the connection of a malformed one cannot be recognized.
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)
        kind = "request that waited too long" if isinstance(request.error, Busy) else "malformed request"
        _log.warning("%s answered with %s (request %s)", kind, self.status, request_id)


def _describe(error: Error) -> str:
    if isinstance(error, Busy):
        return f"{error.body} The request was not applied. Retry it later."
    return f"The request cannot be read: {error.body}. Check the client and the proxies before this service."


def _format(path: str, error: ScimError, accept: str) -> tuple[str, dict[str, Any]]:
    """Return the media type and the body. If the first line cannot be read, the path is missing or /."""
    if path == "/" or is_scim(path):
        return answer_type(accept), error_message(error)
    if isinstance(error, ScimError) and error.status == Busy.code and path in (AUTHENTICATE_PATH, REVOKE_PATH):
        return JSON, {"error": "temporarily_unavailable", "error_description": error.detail}
    return PROBLEM_TYPE, problem(error)
