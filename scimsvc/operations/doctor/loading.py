"""Create an app to examine, without creating a database, a folder or a key, and even if settings are not valid."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask

from scimsvc.operations.doctor.configuration import INVALID, list_invalid, without_variables
from scimsvc.operations.doctor.findings import Finding
from scimsvc.operations.doctor.keys import UNREADABLE
from scimsvc.operations.files import find_missing_database, find_missing_key
from scimsvc.settings import PREFIX, SettingsError
from scimsvc.settings.keys import temporary_key

#: Without these there is no telling which database is meant.
_OF_DATABASE = {f"{PREFIX}DATABASE_URL", f"{PREFIX}INSTANCE_PATH"}


@contextmanager
def examined_app(create_app: Callable[[Any], Flask]) -> Iterator[tuple[Flask | None, list[Finding]]]:
    """Yield an app with the settings of the environment that are valid, and what prevents the others.

    The app is None if the database is not known, or its driver is not installed.
    """
    invalid = list_invalid()
    if _OF_DATABASE & set(invalid):
        yield None, []
        return
    with without_variables(list(invalid)):
        yield _load(create_app)


def _load(create_app: Callable[[Any], Flask]) -> tuple[Flask | None, list[Finding]]:
    config: dict[str, Any] = {}
    missing = find_missing_database()
    if missing is not None:
        config["DATABASE_URL"] = f"sqlite:///{missing}"
    if find_missing_key() is not None:
        return create_app(config | temporary_key()), []
    try:
        return create_app(config), []
    except SettingsError as error:
        return _load_without_key(create_app, config, str(error))


def _load_without_key(
    create_app: Callable[[Any], Flask], config: dict[str, Any], error: str
) -> tuple[Flask | None, list[Finding]]:
    try:
        app = create_app(config | temporary_key())
    except SettingsError as other:
        return None, [INVALID.found(str(other), "Correct this, and start the service again.")]
    return app, [UNREADABLE.found(error, "Restore the key, and let only the service's user read it.")]
