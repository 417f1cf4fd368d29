"""Hash and check passwords with scrypt, which takes a quarter of a second of a processor and 32 MiB.

The cost is one of those that OWASP's Password Storage Cheat Sheet lists as equal. N=2^17 with p=1 would take 128 MiB
for each password, which small machines do not have.
"""

import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

from werkzeug.security import check_password_hash, generate_password_hash

from scimsvc.enterprises.password_strength import LONGEST_PASSWORD
from scimsvc.errors import TooManyAttempts

#: N=2^15, r=8, p=3.
METHOD = "scrypt:32768:8:3"
#: The cost of earlier versions, and the rest of today's cost.
_OLD_METHOD, _REST_METHOD = "scrypt:32768:8:1", "scrypt:32768:8:2"
#: How many passwords a process hashes at the same time. Another one is refused, so that it keeps no thread waiting.
MOST_AT_ONCE = 2
_turns = threading.BoundedSemaphore(MOST_AT_ONCE)

#: The hash for passwords of unknown accounts, so that these take as long to refuse as wrong passwords.
_NOBODYS_HASH = (
    "scrypt:32768:8:3$TAT4mO2vhd8Qcvct$570f2b803add8c1640fd6dc0699933dc0fbaaccff51ec99f57c4635d79122e1a"
    "15b6f871a05aaadbe6c3a3eae9dd0e596669af2bc37ea1bc70f057cf85ee2898"
)


def hash_password(password: str) -> str:
    """Return the hash of a new password. Raises ``TooManyAttempts`` if this process hashes others now."""
    with turn():
        return renewed_hash(password)


def renewed_hash(password: str) -> str:
    """Return a hash of the password with today's cost. Needs a ``turn``."""
    return generate_password_hash(_normal(password[:LONGEST_PASSWORD]), method=METHOD)


def has_old_cost(password_hash: str) -> bool:
    """Return whether a password was hashed with another cost than today's."""
    return not password_hash.startswith(f"{METHOD}$")


def is_right_password(password: str, password_hash: str | None) -> bool:
    """Return whether ``password`` has the hash. False without a hash, after the same time. Needs a ``turn``."""
    text = _normal(password[:LONGEST_PASSWORD])
    is_right = check_password_hash(password_hash or _NOBODYS_HASH, text)
    if password_hash is not None and password_hash.startswith(f"{_OLD_METHOD}$"):  # the time must not show the account
        generate_password_hash(text, method=_REST_METHOD)
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
