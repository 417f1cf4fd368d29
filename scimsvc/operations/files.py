"""The files of an installation, looked for without creating them."""

from pathlib import Path

from scimsvc.settings import check_settings, read_setting
from scimsvc.settings.instance import DATABASE_FILE, SECRET_KEY_FILE


def find_missing_database(config: object = None) -> Path | None:
    """Return the SQLite file that ``config``, else the environment, names if it does not exist; else None.

    Raises ``SettingsError`` if any setting cannot be used, which is more urgent than a missing file.
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
    return None if path.exists() else path


def find_missing_key(config: object = None) -> Path | None:
    """Return the file of the secret key if the key is read from it and it does not exist; else None."""
    path = _instance_path(config) / SECRET_KEY_FILE
    return None if read_setting("SECRET_KEY", config) or path.exists() else path


def _instance_path(config: object) -> Path:
    path: Path | None = read_setting("INSTANCE_PATH", config)
    return path or Path("instance").absolute()


def _file_of(url: str) -> str:
    """Return the path in ``sqlite:///path`` or in ``sqlite:///file:path?uri=true``; a relative one is kept relative."""
    path, _, query = url.partition("://")[2].removeprefix("/").partition("?")
    return path.removeprefix("file:") if "uri=" in query else path
