"""Limit the stored bytes of a body before the app sees the request.

A longer body is read and dropped, so that a client that is still sending can read the answer.
"""

from io import RawIOBase
from typing import Any

from waitress.buffers import OverflowableBuffer
from werkzeug.exceptions import RequestEntityTooLarge

from scimsvc.paths import AUTHENTICATE_PATH, REVOKE_PATH, is_api, is_console, is_scim
from scimsvc.web.form_parser import LONGEST_FORM_OF_STRANGERS


def longest_body(path: str, *, is_known: bool, longest: int) -> int:
    """Return the most bytes of a body for this clean path. A known caller may send ``longest`` bytes.

    Requests below the Tenant URL and the enterprise API are refused without a token, before their body is read.
    """
    if is_known:
        return longest
    if is_scim(path) or is_api(path):
        return 0
    has_form = is_console(path) or path in (AUTHENTICATE_PATH, REVOKE_PATH)
    return min(LONGEST_FORM_OF_STRANGERS, longest) if has_form else 0


class BoundedBuffer(OverflowableBuffer):
    """Stores a body, or only counts its bytes if they are more than ``most``."""

    def __init__(self, overflow: int, most: int) -> None:
        super().__init__(overflow)
        self._most = most
        self._counted = 0

    def __len__(self) -> int:
        return self._counted

    def append(self, s: bytes) -> None:
        """Store ``s``, unless the body is too long."""
        self._counted += len(s)
        if self._counted <= self._most:
            super().append(s)
        elif self.buf is not None or self.strbuf:
            self.close()
            self.buf, self.strbuf = None, b""

    def getfile(self) -> Any:
        """Return the body, or a file that refuses to be read."""
        return super().getfile() if self._counted <= self._most else _TooLarge()


class _TooLarge(RawIOBase):
    """A body that was dropped. The app answers the error of its reader with 413 in the format of the path."""

    def readable(self) -> bool:
        return True

    def readinto(self, _: Any) -> int:
        raise RequestEntityTooLarge

    def readall(self) -> bytes:
        raise RequestEntityTooLarge
