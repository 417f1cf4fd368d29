"""Tables fit a terminal and speak to people; output into a pipe is complete and stable; CSV and JSON are for programs."""

import csv
import io
import json
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import Result, _NamedTextIOWrapper

from scimsvc import clock
from scimsvc.cli.values import time_words
from tests.support.client import Enterprise
from tests.support.databases import sqlite_url
from tests.support.types import Cli

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
OnTerminal = Callable[..., str]


@pytest.fixture
def database_url(sqlite_file: Path) -> str:
    """A SQLite file, because the format of a result does not depend on the database."""
    return sqlite_url(sqlite_file)


@pytest.fixture
def frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setattr(clock, "now", lambda: NOW)


@pytest.fixture
def on_terminal(acme: Enterprise, monkeypatch: pytest.MonkeyPatch) -> OnTerminal:
    """Run a command on a terminal of some columns, and return its output without colors."""

    def run(*words: str, columns: int = 80, colors: bool = False, **variables: str) -> str:
        with monkeypatch.context() as patch:
            patch.setattr(_NamedTextIOWrapper, "isatty", lambda _stream: True, raising=False)
            runner = acme.app.test_cli_runner(env={"COLUMNS": str(columns), **variables})
            result = runner.invoke(args=words, color=True, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.stdout if colors else re.sub(r"\x1b\[\d+m", "", result.stdout)

    return run


def run(acme: Enterprise, *words: str) -> Result:
    return acme.app.test_cli_runner().invoke(args=words, catch_exceptions=False)


def add_users(acme: Enterprise, number: int) -> None:
    for each in range(number):
        acme.create(email=f"user.{each:02}.with.a.long.address@subsidiary.contoso.example")


@pytest.mark.usefixtures("frozen")
@pytest.mark.parametrize(
    ("distance", "text"),
    [
        (timedelta(), "now"),
        (timedelta(minutes=5), "in 5 minutes"),
        (timedelta(minutes=-1), "1 minute ago"),
        (timedelta(hours=1), "in 1 hour"),
        (timedelta(hours=-30), "30 hours ago"),
        (timedelta(days=30), "in 30 days (Dec 27)"),
        (timedelta(days=-3), "3 days ago (Nov 24)"),
        (timedelta(days=300), "in 300 days (Sep 23, 2027)"),
    ],
)
def test_times_are_distances_from_now(distance: timedelta, text: str) -> None:
    assert time_words(NOW + distance) == text


@pytest.mark.usefixtures("frozen")
def test_people_see_names_states_and_distances_first(cli: Cli, acme: Enterprise, on_terminal: OnTerminal) -> None:
    cli("token", "issue", "Acme", "--days=30", "--name=Entra")

    wide, narrow = (on_terminal("token", "list", "Acme", columns=columns) for columns in (160, 60))

    assert wide.splitlines()[0].split("  ")[0] == "Name"
    entra = next(line for line in wide.splitlines() if line.startswith("Entra"))
    assert re.split(r" {2,}", entra)[:4] == ["Entra", "valid", "scim", "in 30 days (Dec 27)"]
    assert re.search(r"[0-9a-f]{32}$", entra)
    assert re.search(r"[0-9a-f]{20}", narrow) is None


@pytest.mark.parametrize("columns", [40, 60, 80, 100, 120])
def test_tables_fit_the_terminal(cli: Cli, acme: Enterprise, on_terminal: OnTerminal, columns: int) -> None:
    add_users(acme, 2)
    cli("role", "update", "Acme", "User", *(f"--alias=A rather long alias number {number}" for number in range(9)))

    for words in (("user", "list", "Acme"), ("role", "list", "Acme"), ("token", "list"), ("enterprise", "list")):
        lines = on_terminal(*words, columns=columns).splitlines()

        assert max(map(len, lines)) <= max(columns, 46)  # an address is never shorter than 44
        assert len(lines) > 1
        assert not any(re.search(r"[0-9a-f-]{20}…", line) for line in lines)  # no part of an ID


def test_long_lists_are_cut_on_a_terminal_and_count_all(acme: Enterprise, on_terminal: OnTerminal) -> None:
    add_users(acme, 52)

    lines = on_terminal("user", "list", "Acme").splitlines()
    two = on_terminal("user", "list", "Acme", "--limit=2").splitlines()

    assert (len(lines), lines[-1]) == (53, "Showing 50 of 52 users. Use --limit to see more.")
    assert (len(two), two[-1]) == (5, "Showing 2 of 52 users. Use --limit to see more.")
    assert len(run(acme, "user", "list", "Acme").stdout.splitlines()) == 53
    assert len(json.loads(run(acme, "user", "list", "Acme", "--limit=2", "--json").stdout)) == 2


def test_wide_tables_and_pipes_have_all_members_with_ids_last(acme: Enterprise, on_terminal: OnTerminal) -> None:
    user = acme.create()

    piped = run(acme, "user", "list", "Acme").stdout
    wide = on_terminal("user", "list", "Acme", "--wide", columns=40)

    head, row = piped.splitlines()
    assert wide == piped
    assert sorted(head.split()) == sorted(json.loads(run(acme, "user", "list", "Acme", "--json").stdout)[0])
    assert head.split()[0] == "email"
    assert {"id", "external_id"} == set(head.split()[-2:])
    assert user["id"] in row
    assert user["meta"]["lastModified"] in row


def test_states_are_colored_unless_no_color_is_set(cli: Cli, acme: Enterprise, on_terminal: OnTerminal) -> None:
    acme.create(active=False)

    colored = on_terminal("user", "list", "Acme", colors=True)
    plain = on_terminal("user", "list", "Acme", colors=True, NO_COLOR="1")

    assert "\x1b[33mdisabled" in colored
    assert "\x1b" not in plain
    assert "\x1b" not in run(acme, "user", "list", "Acme").stdout


@pytest.mark.usefixtures("frozen")
def test_an_object_is_shown_with_labels_on_a_terminal(acme: Enterprise, on_terminal: OnTerminal) -> None:
    lines = on_terminal("token", "issue", "Acme", "--days=30").splitlines()

    values = dict(line.split("  ", maxsplit=1) for line in lines)
    values = {label: value.strip() for label, value in values.items()}
    assert list(values) == ["Access token", "Expires", "Scope", "ID", "Name"]
    assert values["Expires"] == "2026-12-27T12:00:00.000Z, in 30 days (Dec 27)"
    assert values["Access token"].startswith("scimsvc_")


def test_an_empty_list_says_what_is_missing(acme: Enterprise, on_terminal: OnTerminal) -> None:
    assert on_terminal("user", "list", "Acme") == "No users.\n"
    assert run(acme, "user", "list", "Acme").stdout == "none\n"


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_csv_has_the_members_of_json(acme: Enterprise) -> None:
    acme.create(title="=1+1")

    for words in (("user", "list", "Acme"), ("role", "list", "Acme"), ("log", "Acme"), ("changes", "Acme")):
        result: Any = json.loads(run(acme, *words, "--json").stdout)
        members = result["items"] if isinstance(result, dict) else result

        rows = rows_of(run(acme, *words, "--format=csv").stdout)

        assert [list(row) for row in rows] == [list(member) for member in members]
    (user,) = rows_of(run(acme, "user", "list", "Acme", "--format=csv").stdout)
    (power,) = (
        row for row in rows_of(run(acme, "role", "list", "Acme", "--format=csv").stdout) if "Power" in row["name"]
    )
    assert (user["title"], user["active"], user["external_id"]) == ("'=1+1", "true", "")
    assert power["aliases"] == '["PowerSigner"]'


def test_one_object_is_one_line_of_csv(acme: Enterprise) -> None:
    (row,) = rows_of(run(acme, "settings", "show", "--format=csv").stdout)

    assert (row["scim_token_days"], row["log_days"]) == ("7", "90")


def test_json_has_two_spellings_that_do_not_contradict_each_other(acme: Enterprise) -> None:
    assert (
        run(acme, "role", "list", "Acme", "--format=json").stdout == run(acme, "role", "list", "Acme", "--json").stdout
    )
    assert run(acme, "role", "list", "Acme", "--json", "--format=json").exit_code == 0
    refused = run(acme, "role", "list", "Acme", "--json", "--format=csv")
    assert (refused.exit_code, "--json contradicts --format csv" in refused.stderr) == (2, True)


@pytest.fixture
def in_japan(monkeypatch: pytest.MonkeyPatch) -> Iterator[ZoneInfo]:
    """The time zone of the machine."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        yield ZoneInfo("Asia/Tokyo")
    time.tzset()


def test_lines_of_logs_have_the_time_in_utc_for_programs_and_in_the_named_local_zone_for_people(
    acme: Enterprise, cli: Cli, on_terminal: OnTerminal, in_japan: ZoneInfo
) -> None:
    acme.create()
    stored = cli("log", "Acme")[0]["time"]
    local = datetime.fromisoformat(stored).astimezone(in_japan)

    assert run(acme, "log", "Acme").stdout.startswith(f"{stored}  ok")
    assert on_terminal("log", "Acme").startswith(f"{local:%Y-%m-%d %H:%M:%S} JST  ok")
    assert re.match(r"[\d-]+T[\d:.]+Z  ", run(acme, "audit", "Acme").stdout)
    assert re.match(r"[\d-]+ [\d:]+ JST  ", on_terminal("audit", "Acme"))
