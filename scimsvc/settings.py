"""The deployment's settings: read from the environment or from what a host gives, converted and checked.

Each setting stands once in ``SETTINGS``; the README's table is held against it by a test.
"""

import os
import re
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import Field, dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from scimsvc.protocol.limits import DEFAULTS, Limits

PREFIX = "SCIMSVC_"
SECRET_KEY_FILE = "secret_key"  # noqa: S105  # a file's name
DATABASE_FILE = "scimsvc.db"
MIN_KEY_BYTES = 32
MIN_METRICS_TOKEN = 16
SCIM_PATH = "/api/scim/v2"


class SettingsError(Exception):
    """A setting makes no sense; the message is one line and holds no secret."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting: its name without the prefix, its default as people write it, and how its text is read."""

    name: str
    default: str
    description: str
    read: Callable[[str], Any]

    @property
    def variable(self) -> str:
        """The environment variable."""
        return PREFIX + self.name


@dataclass(frozen=True, slots=True, repr=False)
class Settings:
    """The settings in force."""

    database_url: str
    instance_path: Path
    secret_keys: tuple[str, ...]
    public_url: str | None
    trusted_proxies: int
    rate_limit: float
    metrics_token: str | None
    log_format: str
    limits: Limits


class _Refused(ValueError):
    """What a variable may hold instead."""


def _database_url(text: str) -> str:
    scheme, separator, rest = text.partition("://")
    if not separator or scheme not in _DATABASE_SCHEMES:
        raise _Refused("a URL such as sqlite:////var/lib/scimsvc/scimsvc.db or postgresql://user@host/database")
    if scheme == "sqlite" and rest.partition("?")[0] in ("", "/", "/:memory:"):
        raise _Refused("the URL of a SQLite file; each connection would see a database of its own in memory")
    try:
        _ = urlsplit(text).port
    except ValueError:
        raise _Refused("a URL whose port, if it has one, is a number from 0 to 65535") from None
    return f"{_DATABASE_SCHEMES[scheme]}://{rest}"


_DATABASE_SCHEMES = {
    "sqlite": "sqlite",
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}


def _instance_path(text: str) -> Path:
    try:
        path = Path(text).expanduser().absolute()
    except RuntimeError:
        raise _Refused("the path of a folder; it begins with the name of a user who has none here") from None
    if path.exists() and not path.is_dir():
        raise _Refused("the path of a folder, which is made when it is missing")
    return path


def _secret_keys(text: str) -> tuple[str, ...]:
    keys = tuple(key.strip() for key in text.split(","))
    if not text.isprintable():
        raise _Refused(f"keys of at least {MIN_KEY_BYTES} bytes of printable characters, separated by commas")
    shortest = min(len(key.encode()) for key in keys)
    if shortest < MIN_KEY_BYTES:
        raise _Refused(
            f"one key or several separated by commas, newest first, each of at least {MIN_KEY_BYTES} bytes "
            f"(the shortest has {shortest})"
        )
    return keys


def _public_url(text: str) -> str:
    may = "scheme, host and perhaps a path prefix, such as https://app.example.com or https://example.com/scim"
    try:
        url = urlsplit(text)
        _ = url.port
    except ValueError:
        raise _Refused(may) from None
    if url.scheme not in ("http", "https") or not url.hostname or not re.fullmatch(r"[!-~]+", text):
        raise _Refused(may + ", in plain ASCII")
    if re.search(r"[\"<>\\]", text):
        raise _Refused(may)
    if re.search(r"[?#@]", text):
        raise _Refused(may + ", with no user, query or fragment")
    prefix = text.rstrip("/")
    if prefix.endswith(SCIM_PATH):
        raise _Refused(may + f"; {SCIM_PATH} is appended to it")
    return prefix


def _trusted_proxies(text: str) -> int:
    if not re.fullmatch(r"\d{1,2}", text, re.ASCII):
        raise _Refused("the number of reverse proxies in front, from 0 to 99")
    return int(text)


def _rate_limit(text: str) -> float:
    if not re.fullmatch(r"\d{1,6}(\.\d{1,6})?", text, re.ASCII):
        raise _Refused("a number of SCIM requests a second for each enterprise, such as 50; 0 is no limit")
    return float(text)


def _metrics_token(text: str) -> str:
    if not re.fullmatch(rf"[!-~]{{{MIN_METRICS_TOKEN},512}}", text):
        raise _Refused(f"a token of at least {MIN_METRICS_TOKEN} characters of plain ASCII without blanks")
    return text


def _log_format(text: str) -> str:
    if text.lower() not in ("text", "json"):
        raise _Refused("text or json")
    return text.lower()


def _limit(limit: Field[int]) -> Setting:
    least, most = limit.metadata["range"]
    what = limit.metadata["description"]

    def read(text: str) -> int:
        if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or not least <= int(text) <= most:
            raise _Refused(f"a whole number from {least} to {most}, the most {what}")
        return int(text)

    return Setting(_LIMIT + limit.name.upper(), f"`{limit.default}`", f"at most so many {what}", read)


_LIMIT = "MAX_"
SETTINGS = (
    Setting("DATABASE_URL", "`scimsvc.db` in the instance folder", "SQLite file or PostgreSQL database", _database_url),
    Setting("INSTANCE_PATH", "`./instance`", "folder of the database file and the secret key", _instance_path),
    Setting("SECRET_KEY", "made once, in the instance folder", "keys that sign tokens, newest first", _secret_keys),
    Setting("PUBLIC_URL", "taken from the request", "what the Tenant URL and every location begin with", _public_url),
    Setting("TRUSTED_PROXIES", "`0`", "reverse proxies whose `X-Forwarded-*` are believed", _trusted_proxies),
    Setting("RATE_LIMIT", "`0`, none", "SCIM requests a second and enterprise", _rate_limit),
    Setting("METRICS_TOKEN", "unset: there is no `/metrics`", "bearer token that `/metrics` wants", _metrics_token),
    Setting("LOG_FORMAT", "`text`", "`text` for people, `json` for machines", _log_format),
    *map(_limit, fields(Limits)),
)
_BY_NAME = {setting.name: setting for setting in SETTINGS}
#: Variables with the prefix that are no settings of this table but known to the tools around it.
_OTHER_VARIABLES = frozenset({"SCIMSVC_TEST_POSTGRESQL_URL", "SCIMSVC_TEST_LONG", "SCIMSVC_TEST_AXE"})


def from_environment(name: str) -> str | None:
    """Return the text of the setting ``name`` in the environment; None where it is unset or empty."""
    return os.environ.get(PREFIX + name) or None


def read_settings(given: object = None) -> Settings:
    """Return the settings in force: what ``given`` says, else the environment, else the default.

    ``given`` is a mapping or an object with the settings as items or attributes, with the prefix or without.
    Raises ``SettingsError``. Makes the instance folder and the secret key where they are needed and missing.
    """
    values = {setting.name: _read(setting, given) for setting in SETTINGS}
    instance_path = values["INSTANCE_PATH"] or _instance_path("./instance")
    return Settings(
        database_url=values["DATABASE_URL"] or f"sqlite:///{_made(instance_path) / DATABASE_FILE}",
        instance_path=instance_path,
        secret_keys=values["SECRET_KEY"] or (kept_secret_key(instance_path),),
        public_url=values["PUBLIC_URL"],
        trusted_proxies=values["TRUSTED_PROXIES"] or 0,
        rate_limit=values["RATE_LIMIT"] or 0.0,
        metrics_token=values["METRICS_TOKEN"],
        log_format=values["LOG_FORMAT"] or "text",
        limits=_limits(values),
    )


def _limits(values: Mapping[str, Any]) -> Limits:
    given = {limit.name: values[_LIMIT + limit.name.upper()] for limit in fields(Limits)}
    changed = {name: value for name, value in given.items() if value is not None}
    return Limits(**changed) if changed else DEFAULTS


def read_database_url(text: str) -> str:
    """Return ``text`` as SQLAlchemy takes a database's URL; raises ``SettingsError``, which shows no password."""
    try:
        return _database_url(text)
    except _Refused as refused:
        raise SettingsError(f"{_without_secrets(text)} may not be; it may be {refused}") from None


def unknown_variables() -> list[str]:
    """Return the environment variables with the prefix that no setting has, which may be misspelt."""
    known = {setting.variable for setting in SETTINGS} | _OTHER_VARIABLES
    return sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)


def host_settings(given: object) -> dict[str, Any]:
    """Return what ``given`` holds for Flask itself: upper-case names that are no settings of this service."""
    names = list(given) if isinstance(given, Mapping) else dir(given)
    wanted = [name for name in names if name.isupper() and name.removeprefix(PREFIX) not in _BY_NAME]
    return {name: given[name] if isinstance(given, Mapping) else getattr(given, name) for name in wanted}


def kept_secret_key(instance_path: Path) -> str:
    """Return the key of the instance folder, made there with mode 0600 if it is the first time."""
    path = _made(instance_path) / SECRET_KEY_FILE
    try:
        if not path.exists():
            _make_secret_key(path)
        key = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"the secret key in {path} cannot be read or made: {error}") from None
    if len(key.encode()) < MIN_KEY_BYTES:
        raise SettingsError(
            f"the secret key in {path} has fewer than {MIN_KEY_BYTES} bytes; restore or remove the file"
        )
    return key


def _make_secret_key(path: Path) -> None:
    """Write the key whole before it has its name, so that of two first starts at once both keep the same one."""
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


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"{PREFIX}INSTANCE_PATH is {str(folder)!r}, which cannot be made ({error.strerror}); "
            "it may hold the path of a folder that this user may write"
        ) from None
    return folder


def _read(setting: Setting, given: object) -> Any:
    value = _given(setting, given)
    if value is None:
        value = from_environment(setting.name)
    if value is None:
        return None
    text = ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    try:
        return setting.read(text.strip())
    except _Refused as refused:
        holds = "" if setting.name in ("SECRET_KEY", "METRICS_TOKEN") else f" is {_without_secrets(text)};"
        raise SettingsError(f"{setting.variable}{holds} may hold {refused}".replace("; may", "; it may")) from None


def _given(setting: Setting, given: object) -> Any:
    for name in (setting.name, setting.variable):
        value = given.get(name) if isinstance(given, Mapping) else getattr(given, name, None)
        if value not in (None, ""):
            return value
    return None


def _without_secrets(text: str) -> str:
    """Return ``text`` as a refusal may show it: of what may hold a password, no more than how it begins."""
    if not re.search(r"@|pass|secret|token|key", text, re.IGNORECASE):
        return repr(text)
    scheme = re.match(r"[a-z][a-z0-9+.-]*://", text)
    return f"'{scheme[0] if scheme else ''}…'"
