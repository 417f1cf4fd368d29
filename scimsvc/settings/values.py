"""Reading the text of each setting: from what people write to a checked value.

Each function raises ``Unusable`` with the rest of a sentence that begins "it may hold", so that the error can name
the variable.
"""

import re
from pathlib import Path
from urllib.parse import urlsplit

from scimsvc.paths import SCIM_PREFIX

MIN_KEY_BYTES = 32
MIN_METRICS_TOKEN = 16


class Unusable(ValueError):
    """The text is not a value of the setting; the message says what it may hold instead."""


def read_database_url(text: str) -> str:
    """Return ``text`` as SQLAlchemy takes the URL of a database."""
    scheme, separator, rest = text.partition("://")
    if not separator or scheme not in _DATABASE_SCHEMES:
        raise Unusable("a URL such as sqlite:////var/lib/scimsvc/scimsvc.db or postgresql://user@host/database")
    if scheme == "sqlite" and rest.partition("?")[0] in ("", "/", "/:memory:"):
        raise Unusable("the URL of a SQLite file; each connection would see a database of its own in memory")
    try:
        _ = urlsplit(text).port
    except ValueError:
        raise Unusable("a URL whose port, if it has one, is a number from 0 to 65535") from None
    return f"{_DATABASE_SCHEMES[scheme]}://{rest}"


_DATABASE_SCHEMES = {
    "sqlite": "sqlite",
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}


def read_instance_path(text: str) -> Path:
    """Return the absolute path of the instance folder, which need not exist yet."""
    try:
        path = Path(text).expanduser().absolute()
    except RuntimeError:
        raise Unusable("the path of a folder; it begins with the name of a user who has none here") from None
    if path.exists() and not path.is_dir():
        raise Unusable("the path of a folder, which is made when it is missing")
    return path


def read_secret_keys(text: str) -> tuple[str, ...]:
    """Return the keys of a comma-separated list."""
    keys = tuple(key.strip() for key in text.split(","))
    if not text.isprintable():
        raise Unusable(f"keys of at least {MIN_KEY_BYTES} bytes of printable characters, separated by commas")
    shortest = min(len(key.encode()) for key in keys)
    if shortest < MIN_KEY_BYTES:
        raise Unusable(
            f"one key or several separated by commas, newest first, each of at least {MIN_KEY_BYTES} bytes "
            f"(the shortest has {shortest})"
        )
    return keys


def read_public_url(text: str) -> str:
    """Return the URL that the Tenant URL begins with, without a trailing slash."""
    usable = "scheme, host and perhaps a path prefix, such as https://app.example.com or https://example.com/scim"
    try:
        url = urlsplit(text)
        _ = url.port
    except ValueError:
        raise Unusable(usable) from None
    if url.scheme not in ("http", "https") or not url.hostname or not re.fullmatch(r"[!-~]+", text):
        raise Unusable(usable + ", in plain ASCII")
    if re.search(r"[\"<>\\]", text):
        raise Unusable(usable)
    if re.search(r"[?#@]", text):
        raise Unusable(usable + ", with no user, query or fragment")
    prefix = text.rstrip("/")
    if prefix.endswith(SCIM_PREFIX):
        raise Unusable(usable + f"; {SCIM_PREFIX} is appended to it")
    return prefix


def read_trusted_proxies(text: str) -> int:
    """Return the number of reverse proxies."""
    if not re.fullmatch(r"\d{1,2}", text, re.ASCII):
        raise Unusable("the number of reverse proxies in front, from 0 to 99")
    return int(text)


def read_rate_limit(text: str) -> float:
    """Return the number of requests per second; 0 means no limit."""
    if not re.fullmatch(r"\d{1,6}(\.\d{1,6})?", text, re.ASCII):
        raise Unusable("a number of SCIM requests a second for each enterprise, such as 50; 0 is no limit")
    return float(text)


def read_metrics_token(text: str) -> str:
    """Return the bearer token of ``/metrics``."""
    if not re.fullmatch(rf"[!-~]{{{MIN_METRICS_TOKEN},512}}", text):
        raise Unusable(f"a token of at least {MIN_METRICS_TOKEN} characters of plain ASCII without blanks")
    return text


def read_log_format(text: str) -> str:
    """Return ``text`` or ``json``."""
    if text.lower() not in ("text", "json"):
        raise Unusable("text or json")
    return text.lower()
