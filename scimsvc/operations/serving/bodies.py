"""Limit the stored bytes of a body before the app sees the request.

A longer body is read and dropped, so that a client that is still sending can read the answer.
"""

import logging
from contextlib import suppress
from io import RawIOBase
from typing import Any

from waitress.buffers import OverflowableBuffer
from werkzeug.exceptions import RequestEntityTooLarge

from scimsvc.paths import AUTHENTICATE_PATH, REVOKE_PATH, is_api, is_console, is_scim
from scimsvc.protocol.errors import Unavailable
from scimsvc.store.engine.outages import RETRY_AFTER
from scimsvc.web.form_parser import LONGEST_FORM_OF_STRANGERS

_log = logging.getLogger("scimsvc")


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
        #: Whether a temporary file could not be written, for example because the disk is full.
        self._is_full = False

    def __len__(self) -> int:
        return self._counted

    def append(self, s: bytes) -> None:
        """Store ``s``, unless the body is too long."""
        self._counted += len(s)
        if self._counted <= self._most and not self._is_full:
            try:
                super().append(s)
            except OSError:
                _log.warning("A body cannot be stored in a temporary file.", exc_info=True)
                self._is_full = True
                self._drop()
        else:
            self._drop()

    def _drop(self) -> None:
        if self.buf is not None or self.strbuf:
            with suppress(OSError):
                self.close()
            self.buf, self.strbuf = None, b""

    def getfile(self) -> Any:
        """Return the body, or a file that refuses to be read."""
        if self._counted > self._most:
            return _TooLarge()
        return _Unstored() if self._is_full else super().getfile()


class _TooLarge(RawIOBase):
    """A body that was dropped. The app answers the error of its reader with 413 in the format of the path."""

    def readable(self) -> bool:
        return True

    def readinto(self, _: Any) -> int:
        raise RequestEntityTooLarge

    def readall(self) -> bytes:
        raise RequestEntityTooLarge


class _Unstored(RawIOBase):
    """A body that could not be stored. The app answers the error of its reader with 503."""

    def readable(self) -> bool:
        return True

    def readinto(self, _: Any) -> int:
        raise _unstored()

    def readall(self) -> bytes:
        raise _unstored()


def _unstored() -> Unavailable:
    detail = "The body of the request cannot be stored at the moment. The request was not applied. Retry it later."
    return Unavailable(detail, {"Retry-After": RETRY_AFTER})
