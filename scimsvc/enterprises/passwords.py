"""Hash and check passwords with scrypt, which takes a tenth of a second of a processor and 32 MiB."""

import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

from werkzeug.security import check_password_hash, generate_password_hash

from scimsvc.errors import TooManyAttempts

LONGEST_PASSWORD = 1000
#: How many passwords a process hashes at the same time. Another one is refused, so that it keeps no thread waiting.
MOST_AT_ONCE = 2
_turns = threading.BoundedSemaphore(MOST_AT_ONCE)

#: The hash for passwords of unknown accounts, so that these take as long to refuse as wrong passwords.
_NOBODYS_HASH = (
    "scrypt:32768:8:1$Ej3E98IRGTZtx7nt$ed862ff5faa68c7fd90aa0b0447ddd7116859051d66c90ca67ba269df7a17465"
    "fbfb435200e8f45093388f9247c2afd2f1fece480c7fa637d8255d3e518cb1bd"
)


def hash_password(password: str) -> str:
    """Return the hash of a new password. Raises ``TooManyAttempts`` if this process hashes others now."""
    with turn():
        return generate_password_hash(_normal(password), method="scrypt")


def is_right_password(password: str, password_hash: str | None) -> bool:
    """Return whether ``password`` has the hash. False without a hash, after the same time. Needs a ``turn``."""
    is_right = check_password_hash(password_hash or _NOBODYS_HASH, _normal(password[:LONGEST_PASSWORD]))
    return is_right and password_hash is not None


@contextmanager
def turn() -> Iterator[None]:
    """Allow the block to hash a password. Raises ``TooManyAttempts`` if this process hashes others now."""
    if not _turns.acquire(blocking=False):
        raise TooManyAttempts("Other passwords are being checked. Try again in 1 second.", retry_after=1)
    try:
        yield
    finally:
        _turns.release()


def _normal(password: str) -> str:
    """Return ``password`` in NFKC, so that keyboards may compose a character differently (NIST SP 800-63B §3.1.1.2)."""
    return unicodedata.normalize("NFKC", password.encode("utf-8", "replace").decode())
