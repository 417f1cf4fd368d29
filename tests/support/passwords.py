"""Hash passwords quickly in tests, because hundreds of them sign in and few are about the cost of a password."""

import pytest
from werkzeug.security import generate_password_hash

from scimsvc.enterprises import passwords

#: N=2^10, r=8, p=1: about a hundredth of the cost of ``passwords.METHOD``.
QUICK_METHOD = "scrypt:1024:8:1"


def hash_quickly(patch: pytest.MonkeyPatch) -> None:
    """Use the quick method for new passwords and for unknown accounts, until ``patch`` is undone."""
    patch.setattr(passwords, "METHOD", QUICK_METHOD)
    patch.setattr(passwords, "_NOBODYS_HASH", generate_password_hash("", QUICK_METHOD))
