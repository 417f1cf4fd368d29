"""Read forms within limits. Werkzeug does not limit the fields of a form that is not sent as multipart."""

from io import BytesIO
from typing import IO, Any

from flask import Request, request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

from scimsvc.web.errors import RequestRefused

MOST_FIELDS = 500
#: Bytes of a form without its files: of a signed-in administrator, and of a stranger.
LONGEST_FORM = 500_000
LONGEST_FORM_OF_STRANGERS = 128_000


class _FormParser(FormDataParser):
    def parse(self, *arguments: Any, **options: Any) -> Any:
        """Return the stream, fields and files of a form. Raises ``RequestRefused`` if it is over a limit."""
        try:
            return super().parse(*arguments, **options)
        except RequestEntityTooLarge:
            raise RequestRefused(
                f"The form is too large. Send at most {self.max_form_memory_size} bytes "
                f"in at most {self.max_form_parts} fields.",
                RequestEntityTooLarge.code,
            ) from None

    def _parse_urlencoded(
        self, stream: IO[bytes], mimetype: str, content_length: int | None, options: dict[str, str]
    ) -> Any:
        # The stream ends after SCIMSVC_MAX_BODY bytes if the length is unknown.
        longest, most = self.max_form_memory_size or 0, self.max_form_parts or 0
        if content_length is not None and content_length > longest:
            raise RequestEntityTooLarge
        content = stream.read()
        if len(content) > longest or content.count(b"&") >= most:
            raise RequestEntityTooLarge
        return super()._parse_urlencoded(BytesIO(content), mimetype, content_length, options)


class FormRequest(Request):
    """A request whose form has limits."""

    form_data_parser_class = _FormParser


def limit_form_of_stranger() -> None:
    """Lower the limit of the form of the request, because a stranger may have sent it. Call it before it is read."""
    request.max_form_memory_size = LONGEST_FORM_OF_STRANGERS
