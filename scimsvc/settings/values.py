"""Readers of the settings: convert the text of each setting to a checked value.

Each function raises ``Unusable`` with a sentence that begins with "Use". The caller adds the name of the variable.
"""

import os
import re
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from scimsvc.paths import SCIM_PREFIX

MIN_KEY_BYTES = 32
MIN_METRICS_TOKEN = 16


class Unusable(ValueError):
    """The text is not a valid value of the setting. The message is a sentence with the valid values."""


def read_database_url(text: str) -> str:
    """Return the database URL ``text`` in SQLAlchemy's form."""
    scheme, separator, rest = text.partition("://")
    if not separator or scheme not in _DATABASE_SCHEMES:
        raise Unusable("Use a URL such as sqlite:////var/lib/scimsvc/scimsvc.db or postgresql://user@host/database.")
    if scheme == "sqlite" and rest.partition("?")[0] in ("", "/", "/:memory:"):
        raise Unusable("Use a SQLite file, because each connection would have a separate database in memory.")
    try:
        _ = urlsplit(text).port
    except ValueError:
        raise Unusable("Use a port from 0 to 65535 in the URL.") from None
    if not _PREPARE_THRESHOLD.fullmatch(dict(parse_qsl(urlsplit(text).query)).get("prepare_threshold", "none")):
        raise Unusable("Use a number of executions, or none, for prepare_threshold in the URL.")
    return f"{_DATABASE_SCHEMES[scheme]}://{rest}"


_PREPARE_THRESHOLD = re.compile(r"[0-9]{1,9}|none", re.IGNORECASE)
_DATABASE_SCHEMES = {
    "sqlite": "sqlite",
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}


#: The mode of a pooler that may give each transaction another connection to PostgreSQL.
TRANSACTION = "transaction"


def read_database_pooler(text: str) -> str:
    """Return ``text`` in lower case: transaction."""
    if text.lower() != TRANSACTION:
        raise Unusable("Use transaction, or do not set it if no pooler is used or its pool_mode is session.")
    return text.lower()


def read_instance_path(text: str) -> Path:
    """Return the absolute path of the instance folder, which may not exist yet."""
    try:
        path = Path(text).expanduser().absolute()
    except RuntimeError:
        raise Unusable("Use the path of a folder, or begin it with ~ and the name of an existing user.") from None
    if os.path.exists(path) and not path.is_dir():  # noqa: PTH110  # no error for a closed folder
        raise Unusable("Use the path of a folder. It is created if it does not exist.")
    return path


def read_secret_keys(text: str) -> tuple[str, ...]:
    """Return the keys of a comma-separated list."""
    keys = tuple(key.strip() for key in text.split(","))
    if not text.isprintable():
        raise Unusable(f"Use keys of at least {MIN_KEY_BYTES} bytes in printable characters, separated by commas.")
    shortest = min(len(key.encode()) for key in keys)
    if shortest < MIN_KEY_BYTES:
        raise Unusable(
            f"Use one key or several separated by commas, newest first, each with at least {MIN_KEY_BYTES} bytes "
            f"(the shortest has {shortest})."
        )
    return keys


def read_public_url(text: str) -> str:
    """Return the prefix of the Tenant URL, without a trailing slash."""
    usable = "Use a scheme, host and optional path, such as https://app.example.com or https://example.com/scim"
    try:
        url = urlsplit(text)
        _ = url.port
    except ValueError:
        raise Unusable(usable + ".") from None
    if url.scheme not in ("http", "https") or not url.hostname or not re.fullmatch(r"[!-~]+", text):
        raise Unusable(usable + ", in ASCII.")
    if re.search(r"[\"<>\\]", text):
        raise Unusable(usable + ".")
    if re.search(r"[?#@]", text):
        raise Unusable(usable + ", without user, query or fragment.")
    prefix = text.rstrip("/")
    if prefix.endswith(SCIM_PREFIX):
        raise Unusable(usable + f". {SCIM_PREFIX} is appended to it.")
    return prefix


def read_trusted_proxies(text: str) -> int:
    """Return the number of reverse proxies."""
    if not re.fullmatch(r"\d{1,2}", text, re.ASCII):
        raise Unusable("Use the number of reverse proxies in front of the service, from 0 to 99.")
    return int(text)


def read_rate_limit(text: str) -> float:
    """Return the number of requests a second; 0 means no limit."""
    if not re.fullmatch(r"\d{1,6}(\.\d{1,6})?", text, re.ASCII):
        raise Unusable("Use a number of SCIM requests a second for each enterprise, such as 50, or 0 for no limit.")
    return float(text)


def read_metrics_token(text: str) -> str:
    """Return the bearer token of ``/metrics``."""
    if not re.fullmatch(rf"[!-~]{{{MIN_METRICS_TOKEN},512}}", text):
        raise Unusable(f"Use a token of at least {MIN_METRICS_TOKEN} ASCII characters without spaces.")
    return text


def read_log_format(text: str) -> str:
    """Return ``text`` in lower case: text or json."""
    if text.lower() not in ("text", "json"):
        raise Unusable("Use text or json.")
    return text.lower()


def read_tracing(text: str) -> bool:
    """Return whether ``text`` turns tracing on. Raises ``Unusable`` if the package for it is not installed."""
    if text.lower() not in ("off", "otlp"):
        raise Unusable("Use off or otlp.")
    if text.lower() == "off":
        return False
    if find_spec("opentelemetry") is None or find_spec("opentelemetry.instrumentation") is None:
        raise Unusable("Install the extra for it: pip install 'scimsvc[otel]'.")
    return True


#: The values of the setting that requires a second factor of console accounts.
NO_ACCOUNTS, OPERATORS, ALL_ACCOUNTS = "none", "operators", "all"


def read_require_mfa(text: str) -> str:
    """Return ``text`` in lower case: none, operators or all."""
    if text.lower() not in (NO_ACCOUNTS, OPERATORS, ALL_ACCOUNTS):
        raise Unusable("Use none, operators or all.")
    return text.lower()
