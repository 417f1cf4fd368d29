"""``scimsvc enterprise export`` and ``import`` move one enterprise to another installation, completely or not at all."""

import json
import shutil
import stat
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from scimsvc import clock, create_app
from scimsvc.extensions import Model, db
from scimsvc.models import SCHEMA_REVISION
from scimsvc.store.confirmations import write_confirmations
from scimsvc.store.upkeep import enterprise_rows
from scimsvc.store.upkeep.enterprise_rows import LEFT, MOVED
from scimsvc.vocabulary import Action
from tests.support.apps import SECRET_KEY, dispose, make_api, run_command
from tests.support.archives import changed_archive, read_archive, read_manifest, texts_of
from tests.support.client import Enterprise, replace
from tests.support.commands import refusal
from tests.support.custom import URN
from tests.support.databases import create_schema, new_postgresql, sqlite_url
from tests.support.documents import ROOT
from tests.support.records import feed_of
from tests.support.types import Cli

MakeThere = Callable[..., Flask]


@pytest.fixture
def there(database_url: str, sqlite_template: Path, tmp_path: Path) -> Iterator[Flask]:
    """Another installation, on the other kind of database."""
    if database_url.startswith("postgresql"):
        with _app(sqlite_url(Path(shutil.copy(sqlite_template, tmp_path / "there.db"))), tmp_path) as app:
            yield app
        return
    with new_postgresql() as url:
        create_schema(url)
        with _app(url, tmp_path) as app:
            yield app


class _app:  # noqa: N801  # a context manager
    def __init__(self, url: str, folder: Path) -> None:
        self.app = create_app({"DATABASE_URL": url, "INSTANCE_PATH": str(folder / "there"), "SECRET_KEY": SECRET_KEY})

    def __enter__(self) -> Flask:
        return self.app

    def __exit__(self, *_: object) -> None:
        dispose(self.app)


@pytest.fixture
def acme(acme: Enterprise, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Enterprise:
    """The enterprise with rows in each table of an archive, and more of them than fit into one batch."""
    monkeypatch.setattr(enterprise_rows, "_ROWS_AT_ONCE", 4)
    monkeypatch.setattr("scimsvc.operations.archives.importing._ROWS_AT_ONCE", 4)
    for name, kind in (("share", "decimal"), ("hired", "dateTime"), ("tag", "string")):
        cli("attribute", "add", "Acme", f"{URN}:{name}", "--type", kind, *(["--multi-valued"] if name == "tag" else []))
    users = []
    for n in range(10):
        custom = {"share": n / 4, "hired": f"2026-01-01T0{n}:00:00+02:00", "tag": ["Ü", str(n)]}
        user = acme.create(
            email=f"ü{n}@ß.example", userName=f"İ 'n\"\\ {n}", externalId=str(n), active=n % 2 == 0, **{URN: custom}
        )
        users.append(user)
        acme.patch(user, replace("title", '"\\\u2028\U0001f600'))
    with acme.app.app_context():
        write_confirmations({(acme.made["id"], user["id"]): clock.now() for user in users})
    acme.patch(users[0], replace('roles[primary eq "True"].value', "PowerSigner"))
    acme.patch(users[1], replace('roles[primary eq "True"].value', "Unknown"))
    cli("role", "update", "Acme", "User", "--group", "Größe 0", "--group", "Not yet", "--restrict-editing")
    for n in range(6):
        body = {"displayName": f"Größe {n}", "externalId": str(n), "members": [{"value": u["id"]} for u in users[n:]]}
        answer = acme.send("POST", "/Groups", body)
        assert answer.status_code == 201, answer.text
    cli("user", "create", "Acme", "manual@contoso.example", "--title", "Boss")
    cli("integration", "create", "Acme", "Old host")
    cli("integration", "revoke", "Acme", "Old host")
    cli("webhook", "create", "Acme", "https://hooks.example.com/in?key=s3cret-of-the-receiver")
    cli("enterprise", "update", "Acme", "--removal-limit", "5")
    return acme


def exported(acme: Enterprise, path: Path) -> Path:
    run_command(acme.app, "enterprise", "export", "Acme", str(path))
    return path


def everything(app: Flask) -> dict[str, list[Any]]:
    with app.app_context(), db.engine.connect() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
            for table in Model.metadata.sorted_tables
        }


def without_later_entries(path: Path, number: int) -> dict[str, list[Any]]:
    """Return the rows of an archive without audit entries after the first ``number``."""
    rows = read_archive(path)
    return rows | {"audit_log": rows["audit_log"][:number]}


def test_every_table_has_a_decision() -> None:
    tables = {table.name: set(table.columns.keys()) for table in Model.metadata.sorted_tables}

    assert {*MOVED, *LEFT} == tables.keys()
    assert not LEFT & MOVED.keys()
    assert all(left <= tables[name] for name, left in MOVED.items())
    page = (ROOT / "docs/operate/move-enterprise.md").read_text()
    rows = {line.split("|")[1].strip(" `"): line.split("|")[2].strip() for line in page.splitlines() if "| `" in line}
    assert {name: rows.get(name, "").startswith("no") for name in tables} == {name: name in LEFT for name in tables}


def test_an_enterprise_arrives_unchanged_and_is_served(
    acme: Enterprise, cli: Cli, there: Flask, tmp_path: Path
) -> None:
    cursor = feed_of(acme, limit=5)["next"]
    archive = exported(acme, tmp_path / "acme.zip")
    moved = read_archive(archive)
    assert all(moved[table] for table in MOVED)

    result = run_command(there, "enterprise", "import", str(archive))

    assert result["rows"] == {table: len(rows) for table, rows in moved.items()}
    assert run_command(there, "check")["sound"] is True
    newest, *_ = run_command(there, "audit", "Acme")
    assert (newest["action"], newest["target"]["id"]) == (Action.ENTERPRISE_IMPORTED, acme.made["id"])
    run_command(there, "enterprise", "export", acme.made["id"], str(tmp_path / "back.zip"))
    assert without_later_entries(tmp_path / "back.zip", len(moved["audit_log"])) == moved

    # Nothing works until someone enables it.
    assert run_command(there, "enterprise", "show", "Acme")["scim_enabled"] is False
    assert [hook["enabled"] for hook in run_command(there, "webhook", "list", "Acme")] == [False]
    assert run_command(there, "token", "list") == []
    secret = {"grant_type": "client_credentials", **{n: acme.made[n] for n in ("client_id", "client_secret")}}
    assert there.test_client().post("/api/authenticate", data=secret).status_code == 401
    assert there.test_client().get("/api/scim/v2/Users", headers={"Authorization": f"Bearer {acme.token}"}).status == (
        "401 UNAUTHORIZED"
    )
    run_command(there, "enterprise", "update", "Acme", "--enable-scim")
    rotated = run_command(there, "integration", "rotate", "Acme", acme.made["client_id"])
    assert rotated["client_id"] == acme.made["client_id"]
    secret["client_secret"] = rotated["client_secret"]
    answer = there.test_client().post("/api/authenticate", data=secret, headers={"X-SCIM": "true"})
    moved_acme = Enterprise(there, acme.made, answer.get_json()["access_token"])
    [user] = moved_acme.find(f'{URN}:share eq 0.25 and {URN}:hired lt "2026-01-01T05:00:00Z"')
    assert user == acme.get(user)
    assert moved_acme.patch(user, replace("title", "Lead")).status_code == 200
    followed = make_api(moved_acme).get("/changes", after=cursor, limit=1000)["items"]
    assert [each["type"] for each in followed[-2:]] == ["created", "updated"]
    assert len(followed) == len(moved["changes"]) - 5 + 1


def test_no_secret_is_in_an_archive(acme: Enterprise, tmp_path: Path) -> None:
    content = b"".join(texts_of(exported(acme, tmp_path / "acme.zip")).values()).decode()

    with acme.app.app_context(), db.engine.connect() as connection:
        tables = Model.metadata.tables
        secrets = [
            *connection.execute(select(tables["client_secrets"].c.digest)).scalars(),
            *connection.execute(select(tables["webhooks"].c.salt)).scalars(),
            *connection.execute(select(tables["tokens"].c.id)).scalars(),
        ]
    tokens = {row["target_id"] for row in read_archive(tmp_path / "acme.zip")["audit_log"]}  # names, not secrets
    assert len(secrets) == 4
    found = [each for each in secrets if each in content and each not in tokens]
    assert found == []
    assert acme.made["client_secret"] not in content
    assert "s3cret-of-the-receiver" not in content


def test_states_of_the_old_installation_stay_behind(acme: Enterprise, cli: Cli, there: Flask, tmp_path: Path) -> None:
    cli("enterprise", "pause", "Acme")
    cli("enterprise", "suspend", "Acme", "--reason", "Moving")

    run_command(there, "enterprise", "import", str(exported(acme, tmp_path / "acme.zip")), "--name", "Acme Ltd")

    [enterprise] = run_command(there, "enterprise", "list")
    assert (enterprise["name"], enterprise["paused"], enterprise["suspended"]) == ("Acme Ltd", False, False)
    assert enterprise["operator_removal_limit"] == {"users": 5, "percent": None, "hours": 24}


def test_the_file_is_private_and_not_overwritten(acme: Enterprise, tmp_path: Path) -> None:
    path = exported(acme, tmp_path / "acme.zip")

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_manifest(path)["schema"] == SCHEMA_REVISION
    before = path.read_bytes()
    assert "already exists" in refusal(acme.app, "enterprise", "export", "Acme", str(path))
    assert path.read_bytes() == before
    assert "does not exist" in refusal(acme.app, "enterprise", "export", "Nobody", str(tmp_path / "new.zip"))
    assert "Cannot write" in refusal(acme.app, "enterprise", "export", "Acme", str(tmp_path / "none" / "new.zip"))
    run_command(acme.app, "enterprise", "export", "Acme", str(path), "--force")
    assert path.read_bytes() != before
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(("acme", "new"))] == ["acme.zip"]


def test_an_enterprise_comes_back_after_it_was_deleted(acme: Enterprise, cli: Cli, tmp_path: Path) -> None:
    archive = exported(acme, tmp_path / "acme.zip")
    assert "exists here already" in refusal(acme.app, "enterprise", "import", str(archive), "--name", "Other")
    cli("enterprise", "delete", "Acme", "--yes")
    cli("enterprise", "create", "ACME")
    assert "Choose another name with --name" in refusal(acme.app, "enterprise", "import", str(archive))
    cli("enterprise", "import", str(archive), "--name", "Acme again")

    entries = [each["id"] for each in cli("audit", acme.made["id"])]
    assert len(entries) == len(set(entries)) == len(read_archive(archive)["audit_log"]) + 2
    assert cli("check")["sound"] is True


def test_an_archive_of_an_older_schema_gets_defaults(acme: Enterprise, there: Flask, tmp_path: Path) -> None:
    def age(tables: dict[str, Any]) -> None:
        for row in tables["enterprises"]:
            del row["alert_refusals"], row["several_roles"], row["connect_steps"]

    archive = exported(acme, tmp_path / "acme.zip")
    same = changed_archive(archive, tmp_path / "same.zip", rows=age)
    older = changed_archive(archive, tmp_path / "old.zip", rows=age, manifest=lambda each: each.update(schema="0027"))

    assert "lacks alert_refusals, connect_steps" in refusal(there, "enterprise", "import", str(same))
    run_command(there, "enterprise", "import", str(older))
    shown = run_command(there, "enterprise", "show", "Acme")
    assert (shown["alert_refusals"], shown["several_roles"]) == (10, "refuse")


OTHER_ID = "00000000-0000-4000-8000-000000000000"


def first(table: str, **members: Any) -> Callable[[dict[str, Any]], None]:
    """Return a function that changes the first row of a table."""
    return lambda tables: tables[table][0].update(members)


def twice(table: str) -> Callable[[dict[str, Any]], None]:
    return lambda tables: tables[table].append(dict(tables[table][0]))


def in_document(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(tables: dict[str, Any]) -> None:
        row = tables["users"][0]
        row["document"] = json.dumps(json.loads(row["document"]) | {name: value}, separators=(",", ":"))

    return change


def content(name: str, text: bytes) -> Callable[[dict[str, bytes]], None]:
    return lambda files: files.update({name: text})


#: Faulty archives: the argument of ``changed_archive``, the function, and a part of the refusal.
FAULTY: dict[str, tuple[str, Callable[[Any], object], str]] = {
    "newer schema": ("manifest", lambda m: m.update(schema="9999"), "Upgrade this installation first"),
    "newer format": ("manifest", lambda m: m.update(version=2), "version 2 of the format"),
    "other format": ("manifest", lambda m: m.update(format="zip"), "not an exported enterprise"),
    "no files": ("manifest", lambda m: m.update(files=None), "does not describe its files"),
    "no enterprise": ("manifest", lambda m: m.update(enterprise={"id": "../x", "name": "x"}), "not name an enterprise"),
    "empty name": ("manifest", lambda m: m["enterprise"].update(name=""), "name"),
    "wrong checksum": ("manifest", lambda m: m["files"]["roles.jsonl"].update(sha256="0"), "match its checksum"),
    "wrong size": ("manifest", lambda m: m["files"]["roles.jsonl"].update(bytes=1), "match its checksum"),
    "path traversal": ("files", content("../../evil.jsonl", b""), "exactly the files"),
    "missing file": ("files", lambda files: files.pop("roles.jsonl"), "exactly the files"),
    "bomb": ("files", content("users.jsonl", b" " * 30_000_000), "would grow too much"),
    "not JSON": ("files", content("users.jsonl", b"{\n"), "users.jsonl line 1 in the archive is not JSON"),
    "not an object": ("files", content("users.jsonl", b"[]\n"), "is not a JSON object"),
    "repeated member": ("files", content("roles.jsonl", b'{"id":"a","id":"b"}\n'), "roles.jsonl line 1"),
    "nested": ("files", content("roles.jsonl", b'{"id":' + b"[" * 9 + b"]" * 9 + b"}\n"), "nested too deeply"),
    "NUL": ("files", content("roles.jsonl", b'{"id":"\\u0000"}\n'), "roles.jsonl line 1"),
    "unknown member": ("rows", first("users", password="x"), "unknown member 'password'"),
    "row of another enterprise": ("rows", first("users", enterprise_id=OTHER_ID), "unknown member 'enterprise_id'"),
    "lacking member": ("rows", lambda tables: tables["users"][0].pop("version"), "lacks version"),
    "other members": ("rows", lambda tables: tables["users"][3].pop("title"), "other members than the first line"),
    "wrong type": ("rows", first("users", version="1"), "version of users.jsonl line 1"),
    "boolean for a number": ("rows", first("users", version=True), "version of users.jsonl line 1"),
    "number too large": ("rows", first("changes", number=2**63), "changes.jsonl line 1"),
    "negative number": ("rows", first("users", version=-1), "version of users.jsonl line 1"),
    "null": ("rows", first("users", version=None), "is null"),
    "other word": ("rows", first("users", source="x"), "source of users.jsonl line 1"),
    "other ID": ("rows", first("users", id='"><script>'), "id of users.jsonl line 1"),
    "other time": ("rows", first("users", modified_at='2026"'), "modified_at of users.jsonl line 1"),
    "other list": ("rows", first("changes", changed="{}"), "changed of changes.jsonl line 1"),
    "document of another user": ("rows", in_document("id", OTHER_ID), "has another id"),
    "user without an address": ("rows", in_document("emails", []), "not a valid"),
    "document in another form": ("rows", in_document("nickName", ""), "not in canonical form"),
    "document that is not JSON": ("rows", first("users", document="{"), "is not a valid row"),
    "document of a number": ("rows", first("users", document="1"), "is not a valid row"),
    "deep document": ("rows", first("users", document="[" * 100_000), "is not a valid row"),
    "group that is a list": ("rows", first("groups", document="[]"), "is not a valid row"),
    "custom attributes of nothing": ("rows", first("enterprises", custom_attributes="[{}]"), "is not a valid row"),
    "two enterprises": ("rows", twice("enterprises"), "another enterprise than its manifest"),
    "enterprise of another ID": ("rows", first("enterprises", id=OTHER_ID), "another enterprise than its manifest"),
    "no enterprise row": ("rows", lambda tables: tables["enterprises"].clear(), "not contain its enterprise"),
    "user twice": ("rows", twice("users"), "rows of users in the archive contradict each other"),
    "role that does not exist": ("rows", first("users", role_id=OTHER_ID), "its document and its role_id disagree"),
    "member that does not exist": ("rows", first("group_members", user_id=OTHER_ID), "group_members in the archive"),
    "no default role": ("rows", lambda t: [r.update(is_default=False) for r in t["roles"]], "0 default roles"),
    "wrong count": ("rows", first("groups", members=77), "counts 77 members"),
    "wrong role": ("rows", lambda t: [u.update(group_role_id=None) for u in t["users"]], "that its groups give"),
    "gap in the feed": ("rows", lambda tables: tables["changes"].pop(3), "the numbers have a gap"),
    "plain webhook": ("rows", first("webhooks", url="http://x.example"), "url of webhooks.jsonl line 1"),
}


def test_a_faulty_archive_is_refused_and_changes_nothing(acme: Enterprise, cli: Cli, tmp_path: Path) -> None:
    archive = exported(acme, tmp_path / "acme.zip")
    cli("enterprise", "delete", "Acme", "--yes")
    cli("enterprise", "create", "Bystander")
    before = everything(acme.app)

    wrong = {}
    for name, (argument, change, words) in FAULTY.items():
        changes: dict[str, Any] = {argument: change}
        faulty = changed_archive(archive, tmp_path / "faulty.zip", **changes)
        said = refusal(acme.app, "enterprise", "import", str(faulty))
        if words not in said:
            wrong[name] = said
    assert wrong == {}
    assert everything(acme.app) == before

    unsealed = changed_archive(archive, tmp_path / "faulty.zip", rows=first("roles", name="Admin"), seal=False)
    assert "does not match its checksum" in refusal(acme.app, "enterprise", "import", str(unsealed))
    for damaged in (b"", b"PK", b"text", archive.read_bytes()[:-200], _flipped(archive.read_bytes())):
        (tmp_path / "faulty.zip").write_bytes(damaged)
        assert "archive" in refusal(acme.app, "enterprise", "import", str(tmp_path / "faulty.zip"))
    (tmp_path / "faulty.zip").write_bytes(archive.read_bytes()[:5000])
    assert "is incomplete or damaged. Copy it again." in refusal(
        acme.app, "enterprise", "import", str(tmp_path / "faulty.zip")
    )
    with zipfile.ZipFile(tmp_path / "acme.zip", "a") as repeated, pytest.warns(UserWarning, match="Duplicate name"):
        repeated.writestr("roles.jsonl", b"")
    assert "a file twice" in refusal(acme.app, "enterprise", "import", str(archive))
    assert "Cannot read" in refusal(acme.app, "enterprise", "import", str(tmp_path / "none.zip"))
    assert everything(acme.app) == before


def _flipped(content: bytes) -> bytes:
    place = content.index(b"users.jsonl") + 200
    return content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]


def test_a_client_id_of_another_enterprise_is_refused(acme: Enterprise, there: Flask, tmp_path: Path) -> None:
    other = run_command(there, "enterprise", "create", "Other")["client_id"]
    archive = exported(acme, tmp_path / "acme.zip")
    changed = changed_archive(archive, tmp_path / "new.zip", rows=first("integrations", client_id=other))
    before = everything(there)

    assert f"client ID {other}" in refusal(there, "enterprise", "import", str(changed))
    assert everything(there) == before
