"""The instance folder, which by default contains the database file and the secret key."""

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from scimsvc.settings.keys import new_secret_key
from scimsvc.settings.values import MIN_KEY_BYTES

PREFIX = "SCIMSVC_"
SECRET_KEY_FILE = "secret_key"  # noqa: S105  # a file's name
DATABASE_FILE = "scimsvc.db"


class SettingsError(Exception):
    """A setting is not valid. The message is one line without secrets."""


def create_instance_folder(folder: Path) -> Path:
    """Create ``folder`` if it does not exist, for this user only, and return it. Raises ``SettingsError``."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"{PREFIX}INSTANCE_PATH is {str(folder)!r}, and this folder cannot be created ({error.strerror}). "
            "Use the path of a folder that this user can write."
        ) from None
    return folder


def kept_secret_key(instance_path: Path, *, check_new_key: Callable[[Path], None] | None = None) -> str:
    """Return the secret key in the instance folder. The first call creates it with mode 0600.

    ``check_new_key`` is called with the path before that. Raises ``SettingsError`` if the key cannot be read or
    created, or is too short.
    """
    path = create_instance_folder(instance_path) / SECRET_KEY_FILE
    try:
        if not path.exists():
            if check_new_key is not None:
                check_new_key(path)
            _create_secret_key(path)
        key = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The secret key in {path} cannot be read or created: {error}") from None
    if len(key.encode()) < MIN_KEY_BYTES:
        raise SettingsError(
            f"The secret key in {path} has fewer than {MIN_KEY_BYTES} bytes. Restore or remove the file."
        )
    return key


def _create_secret_key(path: Path) -> None:
    """Write the whole key to a draft and then link it, so that processes that start together use the same key."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(new_secret_key() + "\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):  # another process was first
            os.link(draft, path)
    finally:
        draft.unlink()
