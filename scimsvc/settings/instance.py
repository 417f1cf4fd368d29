"""The instance folder: where the database file and the secret key are kept unless settings name others."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from scimsvc.settings.values import MIN_KEY_BYTES

PREFIX = "SCIMSVC_"
SECRET_KEY_FILE = "secret_key"  # noqa: S105  # a file's name
DATABASE_FILE = "scimsvc.db"


class SettingsError(Exception):
    """A setting cannot be used; the message is one line and holds no secret."""


def create_instance_folder(folder: Path) -> Path:
    """Create ``folder`` if it does not exist, for this user only, and return it. Raises ``SettingsError``."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"{PREFIX}INSTANCE_PATH is {str(folder)!r}, which cannot be made ({error.strerror}); "
            "it may hold the path of a folder that this user may write"
        ) from None
    return folder


def kept_secret_key(instance_path: Path) -> str:
    """Return the key of the instance folder, which is created with mode 0600 the first time."""
    path = create_instance_folder(instance_path) / SECRET_KEY_FILE
    try:
        if not path.exists():
            _create_secret_key(path)
        key = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"the secret key in {path} cannot be read or made: {error}") from None
    if len(key.encode()) < MIN_KEY_BYTES:
        raise SettingsError(
            f"the secret key in {path} has fewer than {MIN_KEY_BYTES} bytes; restore or remove the file"
        )
    return key


def _create_secret_key(path: Path) -> None:
    """Write the whole key before the file has its name, so that two processes that start at once keep the same key."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):  # another process was first
            os.link(draft, path)
    finally:
        draft.unlink()
