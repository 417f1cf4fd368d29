"""Check whether the database is available, has the schema of this version, and fits a key of this process."""

import threading
import time
from collections.abc import Callable

from scimsvc.auth.signing_keys import why_no_key_fits
from scimsvc.auth.state import token_signer
from scimsvc.models import SCHEMA_REVISION
from scimsvc.store.engine.outages import DATABASE_ERRORS
from scimsvc.store.upkeep.maintenance import is_file_replaced, read_oldest_code, read_revision

REPLACED = "The database file was removed or replaced while this process had it open. Restart the process."


def why_not_ready() -> str | None:
    """Return None if requests can be served, else the reason for the operator."""
    reason = why_not_usable()
    if reason is not None:
        return reason
    try:
        return why_no_key_fits(token_signer.current)
    except DATABASE_ERRORS as error:
        return _unreadable(error)


def why_not_usable() -> str | None:
    """Return None if the database can be read and has the schema of this version, else the reason."""
    try:
        revision = read_revision()
        can_serve = may_serve(revision)
    except DATABASE_ERRORS as error:
        return _unreadable(error)
    if can_serve:
        return REPLACED if is_file_replaced() else None
    if revision is not None and revision > SCHEMA_REVISION:
        return later_schema(revision)
    return f"The database has schema {revision}, but this version needs {SCHEMA_REVISION}. Run 'scimsvc init'."


def may_serve(revision: str | None) -> bool:
    """Return whether this code may serve a database with the schema ``revision``.

    A later schema names the oldest code that may serve it, so that processes of two versions can serve one database
    during an upgrade. Raises one of ``DATABASE_ERRORS`` if the database cannot be read.
    """
    if revision is None or revision <= SCHEMA_REVISION:
        return revision == SCHEMA_REVISION
    return read_oldest_code() <= SCHEMA_REVISION


def later_schema(revision: str) -> str:
    """Return the reason why this code does not serve a later schema."""
    return (
        f"The database has schema {revision} of a later version, and this version has schema {SCHEMA_REVISION}. "
        "Install the later version."
    )


def _unreadable(error: Exception) -> str:
    kind = type(getattr(error, "orig", None) or error).__name__
    return f"The database cannot be read ({kind}). Run 'scimsvc init' if it does not exist yet."


NO_ANSWER = "The database does not answer. Check the database and the network."


class _Check:
    """A check that runs in a thread of its own, because a database that hangs would keep the thread of the caller."""

    def __init__(self, check: Callable[[], str | None]) -> None:
        self._check = check
        self._ended = threading.Event()
        self._reason: str | None = NO_ANSWER
        self.started_at = time.monotonic()
        threading.Thread(target=self._run, name="scimsvc-readiness", daemon=True).start()

    def _run(self) -> None:
        try:
            self._reason = self._check()
        finally:
            self._ended.set()

    @property
    def is_running(self) -> bool:
        return not self._ended.is_set()

    def reason(self, patience: float) -> str | None:
        """Return the result. A check that does not end within ``patience`` seconds of its start has none yet."""
        self._ended.wait(max(0.0, self.started_at + patience - time.monotonic()))
        return self._reason


class Readiness:
    """Remembers the result of a check for a short time, so that frequent questions do not reach the database."""

    #: Seconds for which a result is remembered.
    FRESH = 0.5
    #: Seconds that a caller waits for the database.
    PATIENCE = 0.8

    def __init__(self, check: Callable[[], str | None]) -> None:
        self._check = check
        self._lock = threading.Lock()
        self._latest: _Check | None = None

    def reason(self) -> str | None:
        """Return None if requests can be served, else the reason. It is at most about a second old."""
        with self._lock:
            latest = self._latest
            if latest is None or not (latest.is_running or time.monotonic() - latest.started_at < self.FRESH):
                latest = self._latest = _Check(self._check)
        return latest.reason(self.PATIENCE)
