"""The warning of a database connection over a network without a verified certificate."""

import pytest

from scimsvc.operations.startup import why_not_this_connection
from scimsvc.settings.transport import find_unverified_host
from tests.support.types import MakeApp

PROTECTED = [
    "sqlite:////srv/scimsvc.db",
    "postgresql+psycopg:///scimsvc",
    "postgresql+psycopg://u:p@localhost/d",
    "postgresql+psycopg://u:p@127.0.0.1:5432/d",
    "postgresql+psycopg://u:p@[::1]:5432/d",
    "postgresql+psycopg://u@/d?host=/var/run/postgresql",
    "postgresql+psycopg://u@db.example.com/d?sslmode=verify-full",
    "postgresql+psycopg://u@db.example.com/d?sslmode=verify-ca",
    "postgresql+psycopg://u@db.example.com/d?sslrootcert=system",
]
UNPROTECTED = {
    "postgresql+psycopg://u:p@db.example.com/d": "db.example.com",
    "postgresql+psycopg://u:p@db.example.com:5433/d?sslmode=require": "db.example.com",
    "postgresql+psycopg://u@[2001:db8::1]:5432/d": "2001:db8::1",
    "postgresql+psycopg://u@/d?host=db1.example.com:5432&host=db2.example.com": "db1.example.com",
    "postgresql+psycopg://u@localhost,db2.example.com/d": "db2.example.com",
    "postgresql+psycopg://u@db.example.com/d?sslmode=disable": "db.example.com",
}


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PGSSLMODE", "PGHOST", "PGSSLROOTCERT"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("url", PROTECTED)
def test_local_and_verified_connections_are_protected(url: str) -> None:
    assert find_unverified_host(url) is None


@pytest.mark.parametrize(("url", "host"), UNPROTECTED.items())
def test_other_hosts_without_verification_are_found(url: str, host: str) -> None:
    assert find_unverified_host(url) == host


def test_the_variables_of_libpq_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "db.example.com")
    unprotected = find_unverified_host("postgresql+psycopg:///d")
    monkeypatch.setenv("PGSSLMODE", "verify-full")

    assert unprotected == "db.example.com"
    assert find_unverified_host("postgresql+psycopg:///d") is None


@pytest.mark.parametrize(
    ("url", "warned"), [("postgresql://u:p@db.example.com/d", True), ("postgresql://postgres@127.0.0.1/d", False)]
)
def test_a_server_warns_of_an_unverified_connection(make_app: MakeApp, url: str, warned: bool) -> None:
    with make_app(DATABASE_URL=url).app_context():
        warning = why_not_this_connection()

    assert (warning is not None) is warned
    if warning is not None:
        assert "db.example.com" in warning
        assert "sslmode=verify-full" in warning
        assert "u:p" not in warning
