"""Find the files of an installation without creating them."""

import os
from pathlib import Path

from scimsvc.settings import SETTINGS, check_settings, read_setting
from scimsvc.settings.files import FILE_SUFFIX
from scimsvc.settings.instance import DATABASE_FILE, SECRET_KEY_FILE


def find_missing_database(config: object = None) -> Path | None:
    """Return the path of the SQLite file if the file does not exist, else None.

    ``config`` overrides the environment. Raises ``SettingsError`` if a setting is invalid, even if the file is missing.
    """
    check_settings(config)
    url: str | None = read_setting("DATABASE_URL", config)
    instance_path = _instance_path(config)
    if url is None:
        path = instance_path / DATABASE_FILE
    elif url.startswith("sqlite"):
        path = instance_path / _file_of(url)
    else:
        return None
    return None if os.path.exists(path) else path  # noqa: PTH110  # False instead of an error for a closed folder


def find_missing_key(config: object = None) -> Path | None:
    """Return the path of the secret key file if it is needed and does not exist, else None."""
    path = _instance_path(config) / SECRET_KEY_FILE
    return None if read_setting("SECRET_KEY", config) or os.path.exists(path) else path  # noqa: PTH110  # as above


def list_secret_files() -> list[tuple[str, Path]]:
    """Return each variable that names a file with a secret, and the path."""
    names = [setting.variable + FILE_SUFFIX for setting in SETTINGS if setting.may_be_in_file]
    return [(name, Path(os.environ[name])) for name in names if os.environ.get(name)]


def _instance_path(config: object) -> Path:
    path: Path | None = read_setting("INSTANCE_PATH", config)
    return path or Path("instance").absolute()


def _file_of(url: str) -> str:
    """Return the path in ``sqlite:///path`` or ``sqlite:///file:path?uri=true``. It may be relative."""
    path, _, query = url.partition("://")[2].removeprefix("/").partition("?")
    return path.removeprefix("file:") if "uri=" in query else path
