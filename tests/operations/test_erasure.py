"""``scimsvc user erase`` replaces a person's names and addresses in all logs, and touches no one else."""

import itertools
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import insert, select

from scimsvc.extensions import Model, db
from scimsvc.models import Alert, AlertEvent, AlertMail, WebhookDelivery
from scimsvc.operations.erasure.texts import Scrubber, without_addresses
from scimsvc.vocabulary import Action
from tests.support.apps import dispose
from tests.support.client import Enterprise, replace
from tests.support.commands import refusal
from tests.support.records import feed_of
from tests.support.types import Cli

NOW = "2026-11-27T12:00:00.000Z"
ADA = "Ada.Löve@contoso.example"
#: Everything that identifies Ada. No other person has any of it.
HERS = ("löve@", "lu00f6ve@", "lovelace", "countess", "ada-0815", "babbage")
BEA = "ba.Ada.Löve@contoso.example"


@pytest.fixture
def contoso(acme: Enterprise, cli: Cli) -> Enterprise:
    """The enterprise with traces of Ada, who was deleted, in every table, and of Bea, whose address contains hers."""
    bea = acme.create(email=BEA, userName="Bea", externalId="bea-1")
    ada = acme.create(email="first.lovelace@contoso.example", userName="Lovelace, Ada", externalId="ada-0815")
    acme.patch(ada, replace('emails[type eq "work"].value', ADA), replace("title", "Countess"))
    acme.patch(ada, replace('roles[primary eq "True"].value', "Unknown"))
    acme.patch(bea, replace('emails[type eq "work"].value', ADA.upper()))  # refused: it is Ada's
    acme.patch(ada, replace("active", "False"))
    cli("user", "edit-profile", "Acme", ada["id"], "--organization", "Babbage Ltd")
    with acme.app.app_context(), db.engine.begin() as connection:
        webhook = cli("webhook", "create", "Acme", "https://hooks.example.com/in")["id"]
        _insert_mentions(
            connection, acme.made["id"], webhook, cli("admin", "create", "a@x.example", "--operator")["id"]
        )
    assert acme.send("DELETE", f"/Users/{ada['id']}").status_code == 204
    acme.made["ada"], acme.made["bea"] = ada["id"], bea["id"]
    return acme


def _insert_mentions(connection: Any, enterprise_id: str, webhook_id: str, admin_id: str) -> None:
    """Insert rows that mention Ada, and Bea, in free text."""
    both = f"Held by '{ADA}'. Held by {BEA}."
    of = {"enterprise_id": enterprise_id}
    facts = json.dumps({"causes": [{"title": both}]})  # escaped
    connection.execute(insert(Alert), of | {
        "type": "alert.refusals", "subject": "", "raised_at": NOW, "stage": 0, "last_event_at": NOW, "facts": facts
    })  # fmt: skip
    connection.execute(insert(AlertEvent), of | {"id": "1", "type": "x", "subject": "", "time": NOW, "data": facts})
    connection.execute(insert(AlertMail), {
        "id": "1", "admin_id": admin_id, "subject": ADA, "text": both, "created_at": NOW, "next_attempt_at": NOW
    })  # fmt: skip
    connection.execute(insert(WebhookDelivery), of | {
        "id": "1", "webhook_id": webhook_id, "message_id": "m", "type": "x", "attempt": 1, "time": NOW,
        "error": f"no answer for {ADA}", "duration_ms": 1,
    })  # fmt: skip


def everything(app: Flask) -> dict[str, list[dict[str, Any]]]:
    with app.app_context(), db.engine.connect() as connection:
        return {
            table.name: [dict(row) for row in connection.execute(select(table)).mappings()]
            for table in Model.metadata.sorted_tables
        }


def found_in(rows: Any) -> set[str]:
    """Return what of Ada is in ``rows``, or in text, apart from Bea's address."""
    text = rows if isinstance(rows, str) else json.dumps(rows, default=str, ensure_ascii=False)
    text = text.casefold().replace("\\", "")
    for bea in (BEA.casefold(), json.dumps(BEA)[1:-1].casefold().replace("\\", "")):
        text = text.replace(bea, "")
    return {each for each in HERS if each in text}


def test_no_value_of_the_person_is_left(contoso: Enterprise, cli: Cli) -> None:
    before = everything(contoso.app)
    assert {name for name, rows in before.items() if found_in(rows)} == {
        *("provisioning_log", "changes", "audit_log", "alerts", "alert_events", "alert_mails", "webhook_deliveries")
    }
    counted = cli("user", "erase", "Acme", ADA, "--dry-run")
    assert everything(contoso.app) == before

    result = cli("user", "erase", "Acme", ADA.upper(), "--yes")

    after = everything(contoso.app)
    assert {name: found_in(rows) for name, rows in after.items() if found_in(rows)} == {}
    pseudonym = result["pseudonym"]
    assert pseudonym.startswith("erased-")
    assert result == counted | {"pseudonym": pseudonym}
    assert result["user_ids"] == [contoso.made["ada"]]

    # Each changed entry shows it, and the numbers are right.
    for table, rows in after.items():
        changed = [row for row in rows if row not in before[table]]
        recorded = [row for row in changed if row.get("action") == Action.USER_ERASED]
        assert len(changed) - len(recorded) == result["entries"].get(table, 0), table
        assert all(pseudonym in json.dumps(row, default=str) for row in changed)
    newest, *_ = cli("audit", "Acme")
    assert newest["action"] == Action.USER_ERASED
    assert newest["target"] == {"type": "user", "id": contoso.made["ada"], "name": pseudonym}
    assert newest["after"] == {"entries": result["entries"]}

    # Entries still belong together, and those of others are as before.
    entries = cli("log", "list", "Acme", "--user", pseudonym)
    assert {entry["email"] for entry in entries} == {pseudonym}
    assert len(entries) >= 5
    assert {each["email"] for each in feed_of(contoso)["items"]} == {pseudonym, BEA}
    refused = next(each for each in cli("log", "list", "Acme", "--failed") if each["user_id"] == contoso.made["bea"])
    assert refused["email"] == BEA
    assert contoso.made["ada"] in refused["detail"]
    assert BEA in after["alert_mails"][0]["text"]
    assert BEA in json.loads(after["alerts"][0]["facts"])["causes"][0]["title"]
    assert contoso.find('userName eq "Bea"')[0]["emails"][0]["value"] == BEA
    assert cli("check")["sound"] is True
    assert cli("user", "erase", "Acme", contoso.made["ada"], "--yes")["entries"] == {}
    assert "No one with" in refusal(contoso.app, "user", "erase", "Acme", ADA, "--yes")


def test_the_file_has_no_value_either(contoso: Enterprise, cli: Cli, database_url: str) -> None:
    if not database_url.startswith("sqlite"):
        pytest.skip("PostgreSQL has no file here")
    path = Path(database_url.removeprefix("sqlite:///"))
    cli("user", "erase", "Acme", ADA, "--yes")
    dispose(contoso.app)

    files = [each for each in path.parent.iterdir() if each.name.startswith(path.name)]
    content = b"".join(each.read_bytes() for each in files).decode("utf-8", "replace")
    assert BEA in content
    assert found_in(content) == set()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_someone_whose_requests_were_all_refused_is_erased(acme: Enterprise, cli: Cli) -> None:
    for role, name in (("Unknown", "Eve Mallory"), ("Other", "Eve Mallory")):
        acme.send("POST", "/Users", {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name, "externalId": "eve-4711",
            "emails": [{"type": "work", "value": "eve@contoso.example"}], "roles": [{"value": role}],
        })  # fmt: skip
    assert "eve-4711" in json.dumps(everything(acme.app), default=str)

    result = cli("user", "erase", "Acme", "eve mallory", "--yes")

    assert (result["user_ids"], result["entries"]) == ([], {"provisioning_log": 2})
    left = json.dumps(everything(acme.app), default=str).casefold()
    assert [value for value in ("mallory", "eve@", "eve-4711") if value in left] == []


def test_a_user_who_exists_is_refused_or_deleted(acme: Enterprise, cli: Cli) -> None:
    user = acme.create(email="here@contoso.example", userName="Here")
    manual = cli("user", "create", "Acme", "manual@contoso.example", "--given-name", "Grace", "--title", "Admiral")
    before = everything(acme.app)

    assert "Delete the user in the directory" in refusal(acme.app, "user", "erase", "Acme", "here", "--yes", "--delete")
    assert "still exists. Add --delete" in refusal(acme.app, "user", "erase", "Acme", manual["id"], "--yes")
    assert "No one with" in refusal(acme.app, "user", "erase", "Acme", "nobody@contoso.example", "--yes")
    assert "Nothing was erased" in refusal_of_question(acme.app, manual["id"])
    assert everything(acme.app) == before

    result = cli("user", "erase", "Acme", "MANUAL@contoso.example", "--yes", "--delete")

    assert (result["deleted"], result["user_ids"]) == (True, [manual["id"]])
    left = json.dumps(everything(acme.app), default=str).casefold()
    assert [value for value in ("manual@", "grace", "admiral") if value in left] == []
    assert acme.get(user)["userName"] == "Here"
    assert [each["type"] for each in feed_of(acme)["items"]] == ["created", "created", "deleted"]


def refusal_of_question(app: Flask, user_id: str) -> str:
    result = app.test_cli_runner().invoke(args=["user", "erase", "Acme", user_id, "--delete"], input="n\n")
    assert result.exit_code == 1
    return str(result.stderr)


def test_a_name_of_several_people_needs_an_address(acme: Enterprise, cli: Cli) -> None:
    for n in (1, 2):
        acme.send("POST", "/Users", {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "Anna Schmidt",
            "emails": [{"type": "work", "value": f"anna{n}@contoso.example"}], "roles": [{"value": "Unknown"}],
        })  # fmt: skip

    assert "Several people have the name" in refusal(acme.app, "user", "erase", "Acme", "anna schmidt", "--yes")
    cli("user", "erase", "Acme", "anna1@contoso.example", "--yes")

    entries = cli("log", "list", "Acme", "--failed")
    assert [(each["email"] or "")[:7] for each in entries] == ["anna2@c", "erased-"]
    assert entries[0]["user_name"] == "Anna Schmidt"


def test_an_erasure_that_was_interrupted_continues_with_its_pseudonym(
    contoso: Enterprise, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scimsvc.operations.erasure.erasing._ENTRIES_CHANGED", 1)
    monkeypatch.setattr("scimsvc.operations.erasure.erasing._ENTRIES_READ", 3)

    def interrupted(batches: Iterator[int], _rest: Any) -> Iterator[int]:
        yield from itertools.islice(batches, 10)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("scimsvc.operations.erasure.erasing.paced", interrupted)
        result = contoso.app.test_cli_runner().invoke(args=["user", "erase", "Acme", ADA, "--yes"])
    assert result.exit_code == 1
    assert cli("audit", "Acme")[0]["action"] == Action.USER_ERASED
    assert found_in(everything(contoso.app))

    first = cli("audit", "Acme")[0]["target"]["name"]
    assert cli("user", "erase", "Acme", ADA, "--yes")["pseudonym"] == first
    assert found_in(everything(contoso.app)) == set()


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ("a@x.example", "E"),
        ("A@X.Example is taken", "E is taken"),
        ("'a@x.example', \"a@x.example\" (a@x.example) <a@x.example>.", "'E', \"E\" (E) <E>."),
        ("Write to a@x.example.", "Write to E."),
        ("filter=userName%20eq%20%22a%40x.example%22", "filter=userName%20eq%20%22a%40x.example%22"),
        ("q=a%40x.example&r=1", "q=E&r=1"),
        ("ba@x.example b.a@x.example b+a@x.example b-a@x.example o'a@x.example", None),
        ("a@x.example.org a@x.examples a@x.example-b a@x.example@y", None),
        ("STRASSE@x.example straße@x.example", "E E"),
        (r"stra\u00dfe@x.example", "E"),
        ("no value", None),
    ],
)
def test_values_are_replaced_as_whole_words(text: str, scrubbed: str | None) -> None:
    assert Scrubber(["a@x.example", "straße@x.example"], "E").text(text) == (text if scrubbed is None else scrubbed)


def test_everything_like_an_address_is_replaced_in_own_entries() -> None:
    text = "'a@x.example' and <b@y.example>, c@z; @ is no address."

    assert without_addresses(text, "E") == "'E' and <E>, E; @ is no address."
