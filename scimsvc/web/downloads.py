"""Send a file that takes long to write or to read, without a worker thread that waits for the client.

The whole file is written to a temporary file first. The server then sends it by itself, and the worker thread serves
other requests. The temporary file has no name, so nothing remains of it when it is closed or the process ends.
"""

import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import IO, cast
from weakref import WeakValueDictionary

from flask import Flask, Response, request
from werkzeug.wsgi import wrap_file

from scimsvc.errors import Conflict, ServiceError
from scimsvc.store.engine.database import longer_deadline
from scimsvc.web.state import AppState

#: The most bytes of a file.
MOST_BYTES = 128 * 1024 * 1024
#: The most seconds for writing a file. The proxy files of ``deploy/`` wait 60 seconds for a response.
MOST_SECONDS = 25.0
#: The most files that a process writes at the same time, so that other threads are left for other requests.
_MOST_WRITERS = 2
#: The advice for a log that does not fit into one file.
NARROW = "Choose a shorter period, or filter the entries, and download several files."


class DownloadRunning(ServiceError):
    """Another download is not finished yet."""

    status = 429
    headers = {"Retry-After": "10"}  # noqa: RUF012  # read only


class Downloads:
    """The files of an app that are being written or sent: at most one for each enterprise."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        #: A file that was never closed, because its response was lost, leaves the dictionary when it is collected.
        self._files: WeakValueDictionary[str, IO[bytes]] = WeakValueDictionary()
        self._writers = threading.BoundedSemaphore(_MOST_WRITERS)

    def write(self, enterprise_id: str, lines: Iterable[str], *, advice: str = NARROW) -> IO[bytes]:
        """Return a temporary file with the ``lines``, at its beginning. The next one can begin when it is closed.

        Raises ``DownloadRunning``, or ``Conflict`` if the file is too large or takes too long.
        """
        if not self._writers.acquire(blocking=False):
            raise DownloadRunning("The service is writing other downloads at the moment. Try again in a few seconds.")
        try:
            return _written(self._begin(enterprise_id), lines, advice)
        finally:
            self._writers.release()

    @contextmanager
    def working(self, enterprise_id: str) -> Iterator[None]:
        """Hold the place of a download for other work that takes long. Raises ``DownloadRunning``."""
        if not self._writers.acquire(blocking=False):
            raise DownloadRunning("The service is writing other downloads at the moment. Try again in a few seconds.")
        try:
            with self._begin(enterprise_id):
                yield
        finally:
            self._writers.release()

    def _begin(self, enterprise_id: str) -> IO[bytes]:
        with self._lock:
            running = self._files.get(enterprise_id)
            if running is not None and not running.closed:
                raise DownloadRunning(
                    "Another download of this enterprise is not finished. Wait until it ends, then try again."
                )
            file = cast("IO[bytes]", tempfile.TemporaryFile())  # noqa: SIM115  # the server closes it
            self._files[enterprise_id] = file
            return file


def _written(file: IO[bytes], lines: Iterable[str], advice: str) -> IO[bytes]:
    ends_at = time.monotonic() + MOST_SECONDS
    size = 0
    try:
        for line in lines:
            size += file.write(line.encode())
            if size > MOST_BYTES:
                raise Conflict(f"The file would have more than {MOST_BYTES // 1024**2} MiB. {advice}")
            if time.monotonic() > ends_at:
                raise Conflict(f"The file could not be written within {MOST_SECONDS:.0f} seconds. {advice}")
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file


_downloads: AppState[Downloads] = AppState("downloads")


def init_downloads(app: Flask) -> None:
    """Prepare ``app`` for downloads."""
    _downloads.init_app(app, Downloads())


@contextmanager
def long_work(enterprise_id: str) -> Iterator[Callable[[int, int], None]]:
    """Let the request work longer than others in the block, as one of a few such requests.

    Yield a function for the progress, with any two numbers. It raises ``Conflict`` when the time is over. Raises
    ``DownloadRunning``.
    """
    ends_at = time.monotonic() + MOST_SECONDS

    def check_time(_more: int, _of: int) -> None:
        if time.monotonic() > ends_at:
            raise Conflict(f"The work takes longer than {MOST_SECONDS:.0f} seconds. Use the command instead.")

    with longer_deadline(MOST_SECONDS), _downloads.current.working(enterprise_id):
        yield check_time


def send_download(
    enterprise_id: str, lines: Iterable[str], *, name: str, media_type: str, advice: str = NARROW
) -> Response:
    """Return the response with the ``lines`` as the file ``name``.

    Raises ``DownloadRunning``, or ``Conflict`` with ``advice`` if the file is too large or takes too long.
    """
    with longer_deadline(MOST_SECONDS):
        file = _downloads.current.write(enterprise_id, lines, advice=advice)
    response = Response(wrap_file(request.environ, file), content_type=media_type, direct_passthrough=True)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    # A server without a file wrapper of its own iterates over the file, and closes it with the response.
    response.call_on_close(file.close)
    return response
