"""Refuse to create a second secret key for a database that servers have used with another one."""

from pathlib import Path

from scimsvc.extensions import make_engine, sqlite_file
from scimsvc.protocol.errors import listed
from scimsvc.settings import PREFIX, SettingsError
from scimsvc.settings.values import TRANSACTION
from scimsvc.store.engine.outages import DATABASE_ERRORS
from scimsvc.store.signing_keys import list_signing_keys


def refuse_second_key(url: str, path: Path) -> None:
    """Raise ``SettingsError`` if the database at ``url`` was used with a key, which should be in the file ``path``.

    A database that does not exist, has no schema or does not answer is allowed. A key that does not fit makes the
    server not ready later.
    """
    used = _find_used_keys(url)
    if used:
        raise SettingsError(
            f"There is no secret key at {path}, and servers used this database with the key {listed(used)}. Restore "
            f"this file or set {PREFIX}SECRET_KEY. If the key is lost, run 'scimsvc key adopt'."
        )


def _find_used_keys(url: str) -> list[str]:
    """Return the IDs of the keys, without creating a file."""
    engine = make_engine(url, pooler=TRANSACTION)  # for one statement, with or without one
    if engine.dialect.name == "sqlite":
        file = sqlite_file(engine.url.database or "")
        if file is None or not file.exists():
            return []
    try:
        with engine.connect() as connection:
            return [row.key_id for row in list_signing_keys(connection)]
    except DATABASE_ERRORS:
        return []
    finally:
        engine.dispose()
