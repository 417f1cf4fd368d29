"""Check the settings of the environment, each by itself."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from scimsvc.operations.doctor.findings import Finding, Kind, Severity, Topic
from scimsvc.settings import SETTINGS, SettingsError, check_settings, read_setting, unknown_variables
from scimsvc.settings.files import FILE_SUFFIX

INVALID = Kind(
    "configuration.invalid", Severity.ERROR, "A setting is not valid, so the service does not start.",
)  # fmt: skip
UNKNOWN = Kind(
    "configuration.unknown", Severity.WARNING, "A variable begins with `SCIMSVC_`, but is not a setting.",
)  # fmt: skip
#: Settings that are only valid together.
_TOGETHER = tuple(
    each.variable
    for each in SETTINGS
    if each.name.startswith("OIDC_") or each.name in ("SMTP_URL", "MAIL_FROM", "LOCAL_SIGN_IN")
)


def find() -> Iterator[Finding]:
    """Find settings that are not valid, and unknown variables."""
    for error in list_invalid().values():
        yield INVALID.found(error, "Correct the variable, and start the service again.")
    for name in unknown_variables():
        yield UNKNOWN.found(f"{name} is not a setting.", "Correct its name, or remove it.")


def list_invalid() -> dict[str, str]:
    """Return the error of each variable that is not valid. Several variables that contradict count as the first one."""
    errors = {}
    for setting in SETTINGS:
        try:
            read_setting(setting.name)
        except SettingsError as error:
            errors[setting.variable] = str(error)
    if not errors:
        try:
            check_settings()
        except SettingsError as error:
            errors[_TOGETHER[0]] = str(error)
    return errors


@contextmanager
def without_variables(names: list[str]) -> Iterator[None]:
    """Run the block as if the variables were not set."""
    together = _TOGETHER if set(names) & set(_TOGETHER) else ()
    hidden = [each + suffix for each in (*names, *together) for suffix in ("", FILE_SUFFIX)]
    kept = {name: os.environ.pop(name) for name in hidden if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(kept)


TOPIC = Topic("configuration", "All settings are valid.", find, (INVALID, UNKNOWN))
