"""The doctor names what is wrong with an installation, and only that. It reads, and creates nothing."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import LiteralString

import pytest

from scimsvc import extensions
from scimsvc.auth.signing_keys import served_keys
from scimsvc.models import SCHEMA_REVISION
from scimsvc.operations.doctor.examining import KINDS, TOPICS
from scimsvc.operations.doctor.files import find_space_faults
from scimsvc.store.upkeep.maintenance import read_oldest_code
from tests.operations.doctor.installations import Installation, later
from tests.support.apps import run_command
from tests.support.client import Enterprise
from tests.support.console import make_admin
from tests.support.databases import new_postgresql
from tests.support.webhooks import make_hook

Break = Callable[[Installation], object]


@pytest.fixture
def installation(acme: Enterprise, tmp_path: Path, database_url: str) -> Installation:
    with acme.app.app_context():
        served_keys.of(acme.app).note()
    return Installation(acme, tmp_path, database_url)


def faults(installation: Installation, *options: str) -> set[str]:
    """Return the IDs of all errors and warnings."""
    return {each["id"] for each in installation.examine(*options) if each["severity"] in ("error", "warning")}


def test_a_healthy_installation_has_no_finding_above_info(installation: Installation) -> None:
    findings = installation.examine()

    assert [each for each in findings if each["severity"] in ("error", "warning")] == []
    assert {each["id"] for each in findings if each["severity"] == "info"} <= {"database.wal_reset", "backups.none"}
    assert {each["id"] for each in findings} >= {"configuration", "files", "keys", "providers", "clock"}
    assert all(set(each) == {"id", "severity", "found", "remedy", "enterprise"} for each in findings)
    assert all(each["remedy"] for each in findings if each["severity"] != "ok")


def _expire_tokens(installation: Installation) -> None:
    installation.execute("UPDATE tokens SET last_used_at = issued_at, expires_at = :at", at=later(days=-1))


def _let_tokens_expire(installation: Installation) -> None:
    at, since = later(days=3), later(days=-20)
    installation.execute(
        "UPDATE tokens SET issued_at = :since, last_used_at = :since, expires_at = :at", at=at, since=since
    )


def _silence(installation: Installation) -> None:
    installation.execute("UPDATE tokens SET last_used_at = issued_at, expires_at = :at", at=later(days=300))
    installation.execute(
        "INSERT INTO alerts (enterprise_id, type, subject, raised_at, stage, last_event_at, facts) "
        "VALUES (:enterprise_id, 'alert.silent', 'x', :at, 0, :at, '{}')",
        enterprise_id=installation.acme.made["id"], at=later(),
    )  # fmt: skip


def _let_mail_wait(installation: Installation) -> None:
    admin = make_admin(installation.app, "ada@x.example", "Acme")
    installation.execute(
        "INSERT INTO alert_mails (id, admin_id, subject, text, created_at, next_attempt_at) "
        "VALUES ('1', :admin, 'Alert', 'Text', :at, :at)",
        admin=admin.id, at=later(hours=-2),
    )  # fmt: skip


def _create_weak_operator(installation: Installation) -> None:
    make_admin(installation.app, "op@x.example")
    installation.execute("UPDATE admins SET password_hash = 'x'")


def _raise_schema(installation: Installation) -> None:
    installation.execute("UPDATE alembic_version SET version_num = '9999'")
    installation.execute("UPDATE schema_support SET oldest_code = '9999'")


def _let_webhook_fail(installation: Installation) -> None:
    make_hook(installation.acme, "https://hooks.example.com/", failing_since=later(hours=-1))


def _forget_webhook_key(installation: Installation) -> None:
    make_hook(installation.acme, "https://hooks.example.com/")
    installation.execute("UPDATE webhooks SET key_id = 'deadbeef'")


#: Faults in the database, on both kinds, and the finding of each.
IN_DATABASE: dict[str, tuple[Break, str]] = {
    "an old schema": (
        lambda it: it.execute("UPDATE alembic_version SET version_num = '0001'"), "database.schema_old"),
    "a later schema": (_raise_schema, "database.schema_later"),
    "another key": (lambda it: it.set(SECRET_KEY="another key that is of no use elsewhere 0123456789"), "keys.misfit"),
    "no key": (lambda it: it.set(SECRET_KEY=None), "keys.missing"),
    "a token of another key": (
        lambda it: it.execute("UPDATE tokens SET key_id = 'deadbeef'"), "keys.unverifiable_tokens"),
    "no valid token": (_expire_tokens, "tokens.expired"),
    "a token that expires": (_let_tokens_expire, "tokens.expires"),
    "a silent provider": (_silence, "providers.silent"),
    "no background work": (lambda it: it.execute("DELETE FROM leases"), "worker.not_running"),
    "a failing webhook": (_let_webhook_fail, "webhooks.failing"),
    "a webhook of another key": (_forget_webhook_key, "webhooks.unsignable"),
    "mail without a server": (_let_mail_wait, "mail.no_server"),
    "an operator without a second factor": (_create_weak_operator, "accounts.no_second_factor"),
    "a clock that is behind": (lambda it: it.execute("UPDATE leases SET beat_at = :at", at=later(hours=1)), "clock.wrong"),
    "a quota that is used": (lambda it: it.set(MAX_ROLES="4"), "growth.quota"),
}  # fmt: skip


@pytest.mark.parametrize(("break_", "finding"), IN_DATABASE.values(), ids=IN_DATABASE)
def test_a_fault_in_the_database_is_the_only_finding(installation: Installation, break_: Break, finding: str) -> None:
    with installation.app.app_context():
        oldest_code = read_oldest_code()
    break_(installation)
    try:
        assert faults(installation) == {finding}
    finally:
        if "schema" in finding:  # the PostgreSQL database is that of all tests
            installation.execute("UPDATE alembic_version SET version_num = :it", it=SCHEMA_REVISION)
            installation.execute("UPDATE schema_support SET oldest_code = :it", it=oldest_code)


def _secret_file(installation: Installation) -> None:
    path = installation.folder / "metrics_token"
    path.write_text("a-token-for-metrics-only")
    path.chmod(0o644)
    installation.set(METRICS_TOKEN_FILE=str(path))


def _short_key(installation: Installation) -> None:
    (installation.folder / "instance").mkdir(mode=0o700)
    (installation.folder / "instance" / "secret_key").write_text("short")
    (installation.folder / "instance" / "secret_key").chmod(0o600)
    installation.set(SECRET_KEY=None)


def _damage(installation: Installation) -> None:
    content = bytearray(installation.file.read_bytes())
    for page in range(10, len(content) // 4096):
        content[page * 4096 : page * 4096 + 200] = b"\xff" * 200
    installation.write_file(bytes(content))


def _old_backup(installation: Installation) -> None:
    run_command(installation.app, "backup", str(installation.folder / "copy.db"))
    installation.execute("UPDATE audit_log SET time = :at WHERE action = 'database.backed_up'", at=later(days=-8))


#: Faults around a SQLite database, and the finding of each.
OUTSIDE: dict[str, tuple[Break, str]] = {
    "an invalid setting": (lambda it: it.set(RATE_LIMIT="many"), "configuration.invalid"),
    "an invalid number of proxies": (lambda it: it.set(TRUSTED_PROXIES="many"), "configuration.invalid"),
    "half of the mail settings": (lambda it: it.set(SMTP_URL="smtp://localhost"), "configuration.invalid"),
    "a missing file of a secret": (lambda it: it.set(METRICS_TOKEN_FILE="/nowhere/token"), "configuration.invalid"),
    "a misspelled variable": (lambda it: it.set(PUBLIC_URI="https://localhost"), "configuration.unknown"),
    "a URL without TLS": (lambda it: it.set(PUBLIC_URL="http://192.0.2.1"), "url.not_https"),
    "a URL without an address": (lambda it: it.set(PUBLIC_URL="https://scim.invalid"), "url.unknown_host"),
    "a proxy without trust": (lambda it: it.set(TRUSTED_PROXIES=None), "proxies.untrusted"),
    "a secret that others can read": (_secret_file, "files.secret_open_to_others"),
    "a database that others can read": (lambda it: it.file.chmod(0o644), "files.open_to_others"),
    "a short key": (_short_key, "keys.unreadable"),
    "a missing database": (lambda it: it.set(DATABASE_URL=f"sqlite:///{it.folder}/none.db"), "database.missing"),
    "a letter in place of the database": (lambda it: it.write_file(b"Dear reader! " * 500), "database.unservable"),
    "an empty database": (lambda it: it.write_file(b""), "database.no_schema"),
    "a damaged database": (_damage, "database.damaged"),
    "a PostgreSQL server that is away": (
        lambda it: it.set(DATABASE_URL="postgresql://u:hunter2@127.0.0.1:1/x"), "database.unreachable"),
    "an old backup": (_old_backup, "backups.old"),
}  # fmt: skip


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("break_", "finding"), OUTSIDE.values(), ids=OUTSIDE)
def test_a_fault_around_the_database_is_the_only_finding(
    installation: Installation, break_: Break, finding: str
) -> None:
    break_(installation)

    result = installation.run()

    assert faults(installation) == {finding}
    assert f"  {finding}: " in result.stdout
    assert "hunter2" not in result.stdout
    assert not (installation.folder / "none.db").exists()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_invalid_public_url_is_not_reported_as_missing(installation: Installation) -> None:
    installation.set(PUBLIC_URL="nonsense")

    found = {each["id"] for each in installation.examine("--connect")}

    assert "configuration.invalid" in found
    assert not [each for each in found if each.startswith(("url.", "addresses", "proxies."))]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_locked_database_is_found(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extensions, "BUSY_TIMEOUT", 0.1)
    installation.write_file(installation.file.read_bytes())
    with closing(sqlite3.connect(installation.file)) as other:
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")

        assert faults(installation) == {"database.unservable"}


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_postgresql_database_of_another_encoding_and_one_without_tables_are_found(installation: Installation) -> None:
    cases: dict[LiteralString, str] = {
        "ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0": "database.unservable",
        "": "database.no_schema",
    }
    for options, finding in cases.items():
        with new_postgresql(options) as url:
            installation.set(DATABASE_URL=url)
            assert faults(installation) == {finding}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_several_faults_are_found_together_the_worst_first(installation: Installation) -> None:
    installation.set(RATE_LIMIT="many", TRUSTED_PROXIES=None, WRONG="1")
    _expire_tokens(installation)

    findings = installation.examine("--connect")

    severities = [each["severity"] for each in findings]
    assert severities == sorted(severities, key=["error", "warning", "info", "ok"].index)
    assert {each["id"] for each in findings if each["severity"] in ("error", "warning")} == {
        *("configuration.invalid", "configuration.unknown", "proxies.untrusted", "tokens.expired", "url.no_answer"),
    }
    assert {each["enterprise"] for each in findings if each["id"] == "tokens.expired"} == {"Acme"}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_invalid_database_url_leaves_the_other_checks(installation: Installation) -> None:
    installation.set(DATABASE_URL="mysql://u:hunter2@h/d", WRONG="1")

    result = installation.run("--json")

    assert faults(installation) == {"configuration.invalid", "configuration.unknown"}
    assert "hunter2" not in result.stdout
    assert "doctor.skipped" in result.stdout


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_installation_that_does_not_exist_is_not_created(installation: Installation, tmp_path: Path) -> None:
    installation.set(DATABASE_URL=None, SECRET_KEY=None, INSTANCE_PATH=str(tmp_path / "new"))

    assert faults(installation) == {"database.missing"}
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("free", "size", "found"),
    [
        (1_000_000, 1_000, ["files.disk_full"]),
        (150_000_000, 100_000_000, ["files.disk_low"]),
        (150_000_000, 1_000, []),
        (10_000_000_000, 1_000_000_000, []),
    ],
)
def test_a_disk_without_space_is_found(free: int, size: int, found: list[str]) -> None:
    assert [each.id for each in find_space_faults(Path("/srv"), free, size)] == found


def test_ids_are_unique_and_begin_with_a_topic() -> None:
    ids = [kind.id for kind in KINDS]

    assert len(ids) == len(set(ids))
    assert not {topic.name for topic in TOPICS} & set(ids)
    assert all(kind.meaning.endswith(".") for kind in KINDS)
