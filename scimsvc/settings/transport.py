"""Find database connections over a network that nothing protects from a third party."""

import os
from urllib.parse import parse_qs, urlsplit

#: The values of libpq's ``sslmode`` with which it verifies the server's certificate.
_VERIFIED = ("verify-ca", "verify-full")
_LOCAL = ("", "localhost", "127.0.0.1", "::1")


def find_unverified_host(database_url: str) -> str | None:
    """Return the first other host to which libpq would connect without verifying its certificate, or None.

    Without ``sslmode``, libpq encrypts if the server offers it and accepts every certificate. Parameters that the URL
    omits come from the environment variables of libpq.
    """
    if not database_url.startswith("postgresql"):
        return None
    # Several hosts are separated by commas, which urlsplit cannot read as host and port.
    netloc = urlsplit(database_url).netloc.rpartition("@")[2]
    parameters = parse_qs(urlsplit(database_url).query)
    mode = _last(parameters, "sslmode") or os.environ.get("PGSSLMODE", "")
    root = _last(parameters, "sslrootcert") or os.environ.get("PGSSLROOTCERT", "")
    if mode in _VERIFIED or root == "system":
        return None
    hosts = [host for text in (netloc, *parameters.get("host", [])) for host in text.split(",") if text]
    hosts = hosts or os.environ.get("PGHOST", "").split(",")
    names = (_without_port(host) for host in hosts)
    return next((name for name in names if name not in _LOCAL and not name.startswith("/")), None)


def _last(parameters: dict[str, list[str]], name: str) -> str:
    return parameters.get(name, [""])[-1]


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    name, separator, port = host.rpartition(":")
    return name if separator and (port.isdigit() or not port) else host
