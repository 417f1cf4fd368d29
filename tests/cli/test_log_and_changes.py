"""``log``, ``changes`` and ``explain``; and commands for the pause and the removal limit."""

import json
import signal
import subprocess
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest
from flask import Flask

from scimsvc import clock
from scimsvc.activity import log_reading
from scimsvc.cli.options import Moment
from tests.support.apps import SECRET_KEY, make_enterprise
from tests.support.client import Enterprise, patch_body, replace, user_body
from tests.support.commands import refusal, text_of
from tests.support.live import PATIENCE, SCIMSVC, environment
from tests.support.records import log_of
from tests.support.types import Cli

pytestmark = pytest.mark.both_databases


def usage_error(app: Flask, *words: str) -> str:
    result = app.test_cli_runner().invoke(args=list(words))
    assert result.exit_code == 2, result.output
    return result.stderr


def test_the_log_shows_changes_and_the_fix_of_a_refusal(acme: Enterprise, cli: Cli) -> None:
    user = acme.create(active="True", extra=1)
    acme.send("POST", "/Users", user_body("b@x.example", roles=[{"value": "Signer"}]))

    listed = cli("log", "Acme")
    text = text_of(acme.app, "log", "Acme")

    assert [each["status"] for each in listed] == [400, 201]
    assert listed == cli("log", "list", "Acme") == log_of(acme)
    first, advice, *_ = text.splitlines()
    assert first.split()[1:] == ["refused", "create", "b@x.example", "400", "invalidValue"]
    assert advice.startswith("    Role 'Signer' does not exist in Acme. Set the app role's value in Entra")
    assert "tolerances text-boolean; ignored extra" in text
    assert cli("log", "Acme", "--failed") == listed[:1]
    assert cli("log", "Acme", "--user", "TEST.user@contoso.example") == listed[1:]
    assert cli("log", "Acme", "--operation", "patch") == []
    assert cli("log", "Acme", "--since", "1h", "--limit", "1") == listed[:1]
    assert cli("log", "Acme", "--until", "2020-01-01") == []
    assert listed[1]["user_id"] == user["id"]
    assert "\x1b" not in text  # no colors without a terminal


def test_an_invalid_time_is_wrong_usage(acme: Enterprise) -> None:
    for words in (["--since", "tomorrow"], ["--since", "2026-13-01"], ["--until", "99999999w9"], ["--operation", "x"]):
        assert words[1] in usage_error(acme.app, "log", "Acme", *words)
    assert "Leave --until out." in usage_error(acme.app, "log", "Acme", "--follow", "--until", "1h")


def test_the_log_and_the_feed_are_pruned(acme: Enterprise, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    acme.token = cli("token", "issue", "Acme", "--days=365")["access_token"]
    for number in range(3):
        acme.create(email=f"{number}@x.example")
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=50))

    kept = cli("log", "prune")
    cli("settings", "set", "change_days", "40")
    pruned = cli("log", "prune", "--older-than", "40")

    nothing = dict.fromkeys(
        (
            "log_entries",
            "changes",
            "tokens",
            "secrets",
            "integrations",
            "audit_entries",
            "deliveries",
            "sessions",
            "provider_cycles",
            "alerts",
            "alert_events",
        ),
        0,
    )
    assert (kept, pruned) == (nothing, nothing | {"log_entries": 3, "changes": 2})
    assert (cli("log", "Acme"), len(cli("changes", "Acme")["items"])) == ([], 1)


def test_changes_are_read_after_a_cursor(acme: Enterprise, cli: Cli) -> None:
    user = acme.create()
    acme.patch(user, replace("active", False))

    first = cli("changes", "Acme", "--limit", "1")
    second = cli("changes", "Acme", "--after", first["next"])

    assert [each["type"] for each in first["items"] + second["items"]] == ["created", "disabled"]
    assert "disabled" in text_of(acme.app, "changes", "Acme")
    assert cli("changes", "Acme", "--after", "latest") == {"items": [], "next": second["next"]}
    assert "is not a cursor" in refusal(acme.app, "changes", "Acme", "--after", "x")


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
    assert "would be refused: create, 400 invalidValue\n  Role 'Signer' does not exist" in text_of(
        acme.app, "explain", "Acme", str(asked)
    )
    asked.write_text(json.dumps({"method": "GET", "path": '/Users?filter=userName eq "test user"'}))
    assert "finds       test.user@contoso.example" in text_of(acme.app, "explain", "Acme", str(asked))


@pytest.mark.parametrize(
    ("content", "words"), [("{", "is not a valid SCIM request"), ("[]", "write a JSON object"), ("{}", "method:")]
)
def test_a_file_without_a_request_is_refused(acme: Enterprise, tmp_path: Path, content: str, words: str) -> None:
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


def following(database_url: str, tmp_path: Path, *words: str) -> "subprocess.Popen[str]":
    """Start a command in a separate process, which is stopped after a while in any case."""
    settings = environment(DATABASE_URL=database_url, INSTANCE_PATH=str(tmp_path / "instance"), SECRET_KEY=SECRET_KEY)
    process = subprocess.Popen(
        [SCIMSVC, *words, "--follow"], env=settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    patience = threading.Timer(PATIENCE, process.kill)
    patience.daemon = True
    patience.start()
    return process


@pytest.mark.slow
@pytest.mark.system
def test_the_log_is_followed_as_it_grows_until_ctrl_c(acme: Enterprise, database_url: str, tmp_path: Path) -> None:
    acme.create(email="before@x.example")
    with following(database_url, tmp_path, "log", "Acme", "--json", "--since", "1h") as process:
        assert process.stdout is not None
        first = json.loads(process.stdout.readline())
        acme.create(email="after@x.example")
        second = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        rest = process.communicate()

    assert [first["email"], second["email"]] == ["before@x.example", "after@x.example"]
    assert (process.returncode, rest) == (0, ("", ""))


@pytest.mark.system
def test_the_feed_is_followed_as_it_grows_until_ctrl_c(acme: Enterprise, database_url: str, tmp_path: Path) -> None:
    user = acme.create()
    with following(database_url, tmp_path, "changes", "Acme") as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        acme.patch(user, replace("active", False))
        second = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        rest = process.communicate()

    assert [line.split()[1:3] for line in (first, second)] == [
        ["created", "test.user@contoso.example"],
        ["disabled", "test.user@contoso.example"],
    ]
    assert (process.returncode, rest) == (0, ("", ""))


def test_following_begins_with_the_past_entries_asked_for(acme: Enterprise, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        acme.create(email=f"{number}@x.example")
    monkeypatch.setattr(log_reading, "_READ_AT_ONCE", 2)

    lines = text_of(acme.app, "log", "Acme", "--follow", "--since=1h", "--limit=5").splitlines()

    assert [line.split()[3] for line in lines if not line.startswith(" ")] == [
        f"{number}@x.example" for number in range(5)
    ]


def test_an_enterprise_named_like_a_command_is_found_by_its_id(app: Flask, cli: Cli) -> None:
    enterprise = make_enterprise(app, "prune")
    enterprise.create()

    assert set(cli("log", "prune", "--older-than=1").values()) == {0}
    assert [each["operation"] for each in cli("log", enterprise.made["id"])] == ["create"]
    assert cli("log", "list", "prune") == cli("log", "--limit=5", enterprise.made["id"])


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("30m", datetime(2026, 3, 1, 11, 30, tzinfo=UTC)),
        ("2h", datetime(2026, 3, 1, 10, 0, tzinfo=UTC)),
        ("7d", datetime(2026, 2, 22, 12, 0, tzinfo=UTC)),
        ("2026-02-28", datetime(2026, 2, 28, tzinfo=UTC)),
        ("today", datetime(2026, 3, 1, tzinfo=UTC)),
        ("Yesterday", datetime(2026, 2, 28, tzinfo=UTC)),
        ("2026-02-28T23:00:00Z", datetime(2026, 2, 28, 23, tzinfo=UTC)),
        ("2026-02-28t23:00:00.5+02:00", datetime(2026, 2, 28, 21, 0, 0, 500000, tzinfo=UTC)),
    ],
)
def test_times_are_rfc_3339_or_spans(monkeypatch: pytest.MonkeyPatch, text: str, instant: datetime) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 3, 1, 12, tzinfo=UTC))

    assert Moment().convert(text, None, None) == instant


@pytest.mark.parametrize(
    "text",
    ["", "now", "7", "7y", "-1d", "1.5h", "999999999d", "2026-02-30", "2026-02-28T23:00:00", "20260228", "2026-W09-1",
     "2026-02-28T24:30:00Z", "2026-02-28T23:00:00+99:00", "٣d"],
    ids=ascii,
)  # fmt: skip
def test_a_text_that_is_not_a_time_is_refused_with_examples(text: str) -> None:
    with pytest.raises(click.BadParameter, match="Use 30m, 2h, 7d, today, yesterday, 2026-11-23 or RFC 3339"):
        Moment().convert(text, None, None)


def test_outcomes_are_colored_on_a_terminal_unless_no_color_is_set(
    acme: Enterprise, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme.create()
    acme.send("POST", "/Users", user_body())

    on_terminal, plain = (
        acme.app.test_cli_runner(env=variables).invoke(args=["log", "Acme"], color=True).stdout
        for variables in ({}, {"NO_COLOR": "1"})
    )

    assert "\x1b[31mrefused" in on_terminal
    assert "\x1b[32mok" in on_terminal
    assert "\x1b" not in plain


def test_a_request_is_read_from_standard_input(acme: Enterprise) -> None:
    asked = json.dumps({"method": "DELETE", "path": f"/Users/{acme.create()['id']}"})

    result = acme.app.test_cli_runner().invoke(args=["explain", "Acme", "-", "--json"], input=asked)

    assert (result.exit_code, json.loads(result.stdout)["status"]) == (0, 204)
    assert len(acme.find("id pr")) == 1
