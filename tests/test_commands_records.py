"""Commands for what is on record and what would be: ``log``, ``changes``, ``explain``; and pauses and limits."""

import json
import signal
import subprocess
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from scimsvc import clock
from tests.client import Enterprise, patch_body, replace, user_body
from tests.live import SCIMSVC, environment
from tests.records import log_of
from tests.test_commands import refusal, text_of

Cli = Callable[..., Any]


def usage_error(app: Flask, *words: str) -> str:
    result = app.test_cli_runner().invoke(args=list(words))
    assert result.exit_code == 2, result.output
    return result.stderr


def test_the_log_says_what_was_done_and_what_to_do_about_a_refusal(acme: Enterprise, cli: Cli) -> None:
    user = acme.create(active="True", extra=1)
    acme.send("POST", "/Users", user_body("b@x.example", roles=[{"value": "Signer"}]))

    listed = cli("log", "Acme")
    text = text_of(acme.app, "log", "Acme")

    assert [each["status"] for each in listed] == [400, 201]
    assert listed == cli("log", "list", "Acme") == log_of(acme)
    first, advice, *_ = text.splitlines()
    assert first.split()[1:] == ["refused", "create", "b@x.example", "400", "invalidValue"]
    assert advice.startswith("    role 'Signer' does not exist in Acme; it has DefaultEnterprise, Power Signer")
    assert "tolerances text-boolean; ignored extra" in text
    assert cli("log", "Acme", "--failed") == listed[:1]
    assert cli("log", "Acme", "--user", "TEST.user@contoso.example") == listed[1:]
    assert cli("log", "Acme", "--operation", "patch") == []
    assert cli("log", "Acme", "--since", "1h", "--limit", "1") == listed[:1]
    assert cli("log", "Acme", "--until", "2020-01-01") == []
    assert listed[1]["user_id"] == user["id"]
    assert "\x1b" not in text  # no colours where there is no terminal


def test_a_time_that_is_none_is_a_wrong_usage(acme: Enterprise) -> None:
    for words in (["--since", "yesterday"], ["--since", "2026-13-01"], ["--until", "99999999w9"], ["--operation", "x"]):
        assert words[1] in usage_error(acme.app, "log", "Acme", *words)
    assert "leave --until out" in usage_error(acme.app, "log", "Acme", "--follow", "--until", "1h")


def test_the_log_and_the_feed_are_pruned(acme: Enterprise, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    acme.token = cli("token", "issue", "Acme", "--days=365")["access_token"]
    for number in range(3):
        acme.create(email=f"{number}@x.example")
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=50))

    kept = cli("log", "prune")
    cli("settings", "set", "change_days", "40")
    pruned = cli("log", "prune", "--older-than", "40")

    assert (kept, pruned) == ({"log_entries": 0, "changes": 0}, {"log_entries": 3, "changes": 2})
    assert (cli("log", "Acme"), len(cli("changes", "Acme")["items"])) == ([], 1)


def test_a_serving_process_prunes_by_itself(acme: Enterprise, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    acme.token = cli("token", "issue", "Acme", "--days=365")["access_token"]
    user = acme.create()
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=91))

    for _ in range(4):
        acme.send("GET", f"/Users/{user['id']}").close()

    assert log_of(acme) == []


def test_changes_are_read_from_a_cursor_on(acme: Enterprise, cli: Cli) -> None:
    user = acme.create()
    acme.patch(user, replace("active", False))

    first = cli("changes", "Acme", "--limit", "1")
    second = cli("changes", "Acme", "--after", first["next"])

    assert [each["type"] for each in first["items"] + second["items"]] == ["created", "disabled"]
    assert "disabled" in text_of(acme.app, "changes", "Acme")
    assert "no cursor" in refusal(acme.app, "changes", "Acme", "--after", "x")


def test_a_request_in_a_file_is_explained(acme: Enterprise, cli: Cli, tmp_path: Path) -> None:
    user = acme.create(title="Old", roles=[{"value": "User"}])
    body = patch_body({"op": "Replace", "path": "title", "value": "New"})
    asked = tmp_path / "request.json"
    asked.write_text(json.dumps({"method": "PATCH", "path": f"/Users/{user['id']}", "body": body}))

    told = cli("explain", "Acme", str(asked))
    text = text_of(acme.app, "explain", "Acme", str(asked))

    assert (told["outcome"], told["tolerances"], told["user"]["title"]) == ("ok", ["op-case"], "Old")
    for words in ("would be ok: patch, 200", "test.user@contoso.example", "op-case", "would change:", "understood as:"):
        assert words in text
    assert acme.get(user)["title"] == "Old"
    asked.write_text(json.dumps({"method": "POST", "path": "/Users", "body": user_body(roles=[{"value": "Signer"}])}))
    assert "would be refused: create, 400 invalidValue\n  role 'Signer' does not exist" in text_of(
        acme.app, "explain", "Acme", str(asked)
    )
    asked.write_text(json.dumps({"method": "GET", "path": '/Users?filter=userName eq "test user"'}))
    assert "finds       test.user@contoso.example" in text_of(acme.app, "explain", "Acme", str(asked))


@pytest.mark.parametrize(
    ("content", "words"), [("{", "is no SCIM request"), ("[]", "no JSON object"), ("{}", "method:")]
)
def test_a_file_that_is_no_request_is_refused(acme: Enterprise, tmp_path: Path, content: str, words: str) -> None:
    asked = tmp_path / "request.json"
    asked.write_text(content)

    assert words in refusal(acme.app, "explain", "Acme", str(asked))


def test_an_enterprise_is_paused_limited_and_released(acme: Enterprise, cli: Cli) -> None:
    user, other = acme.create(), acme.create(email="b@x.example")

    assert cli("enterprise", "pause", "Acme")["paused"] is True
    assert acme.patch(user, replace("title", "x")).status_code == 503
    assert cli("enterprise", "resume", "Acme")["paused"] is False
    limited = cli("enterprise", "update", "Acme", "--removal-limit", "1")
    assert limited["removal_limit"] == {"users": 1, "percent": None, "hours": 24}
    limited = cli("enterprise", "update", "Acme", "--removal-percent", "90", "--removal-hours", "2")
    assert limited["removal_limit"] == {"users": 1, "percent": 90, "hours": 2}
    statuses = [acme.patch(each, replace("active", False)).status_code for each in (user, other)]
    assert statuses == [200, 503]
    assert cli("enterprise", "release", "Acme")["name"] == "Acme"
    assert acme.patch(other, replace("active", False)).status_code == 200
    assert cli("enterprise", "update", "Acme", "--no-removal-limit")["removal_limit"] is None
    assert "no removal limit" in refusal(acme.app, "enterprise", "release", "Acme")
    assert "--no-removal-limit" in usage_error(
        acme.app, "enterprise", "update", "Acme", "--no-removal-limit", "--removal-limit", "3"
    )


def test_a_role_is_previewed(acme: Enterprise, cli: Cli) -> None:
    acme.create()
    for _ in range(2):
        acme.send("POST", "/Users", user_body("b@x.example", roles=[{"value": "Signer"}]))

    before = cli("role", "preview", "Acme", "SIGNER")
    cli("role", "update", "Acme", "User", "--alias", "Signer")
    acme.send("POST", "/Users", user_body("b@x.example", roles=[{"value": "Signer"}]))
    after = cli("role", "preview", "Acme", "signer")

    assert (before["role"], before["users"], before["on_default"]) == (None, 0, 1)
    assert [each["email"] for each in before["waiting"]] == ["b@x.example"]
    assert (after["role"], after["users"]) == ("User", 1)
    assert "b@x.example" in text_of(acme.app, "role", "preview", "Acme", "Signer")


def test_the_last_integration_is_revoked_with_a_warning(acme: Enterprise, cli: Cli) -> None:
    result = acme.app.test_cli_runner().invoke(args=["integration", "revoke", "Acme", acme.made["client_id"]])

    assert result.exit_code == 0
    assert "last integration" in result.output + result.stderr


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_log_is_followed_as_it_grows(acme: Enterprise, database_url: str, tmp_path: Path) -> None:
    settings = environment(DATABASE_URL=database_url, INSTANCE_PATH=str(tmp_path / "instance"))
    command = [SCIMSVC, "log", "Acme", "--follow", "--json", "--since", "1h"]
    acme.create(email="before@x.example")
    with subprocess.Popen(
        command, env=settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as following:
        try:
            assert following.stdout is not None
            first = json.loads(following.stdout.readline())
            acme.create(email="after@x.example")
            second = json.loads(following.stdout.readline())
        finally:
            following.send_signal(signal.SIGINT)
            time.sleep(0)
            status = following.wait(20)

    assert [first["email"], second["email"]] == ["before@x.example", "after@x.example"]
    assert status == 0
