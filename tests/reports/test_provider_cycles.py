"""The cycles of identity providers are stored with the last uses, and show their rhythm and their silence."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from scimsvc import clock
from scimsvc.activity.pruning import prune_everything
from scimsvc.auth.last_uses import write_last_uses
from scimsvc.reports.provider_cycles import Rhythm, read_rhythms
from scimsvc.store.cycles import list_newest_cycles, note_requests
from scimsvc.store.engine.transactions import reading, writing
from tests.support.client import Api, Enterprise
from tests.support.types import Cli

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
Move = Callable[[timedelta], None]


@pytest.fixture
def move(acme: Enterprise, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Move:
    """Let time elapse for a SCIM token that is valid for a year."""
    acme.token = cli("token", "issue", "Acme", "--days=365")["access_token"]
    start, moved = clock.now().replace(microsecond=0), [timedelta()]
    monkeypatch.setattr(clock, "now", lambda: start + moved[0])
    return lambda span: moved.__setitem__(0, moved[0] + span)


def ask(acme: Enterprise) -> None:
    with acme.send("GET", "/Users", query={"count": "0"}) as answer:
        assert answer.status_code == 200


def run_cycle(acme: Enterprise, move: Move, *, until_next: timedelta) -> None:
    """Send requests for two minutes, and let the rest of the time to the next cycle elapse."""
    for _ in range(3):
        ask(acme)
        move(MINUTE)
    write_last_uses(acme.app)
    move(until_next - 3 * MINUTE)


@pytest.fixture
def rhythms(acme: Enterprise) -> Iterator[Callable[[], list[Rhythm]]]:
    with acme.app.app_context():

        def read() -> list[Rhythm]:
            with reading() as connection:
                return read_rhythms(connection, acme.made["id"])

        yield read


def test_a_burst_of_requests_is_one_cycle_from_its_first_to_its_last(
    acme: Enterprise, move: Move, rhythms: Callable[[], list[Rhythm]]
) -> None:
    start = clock.now()
    for _ in range(5):
        ask(acme)
        move(9 * MINUTE)
    write_last_uses(acme.app)

    (rhythm,) = rhythms()

    assert (rhythm.started_at - start, rhythm.ended_at - start) == (0 * MINUTE, 36 * MINUTE)
    assert (rhythm.usual_cycle, rhythm.longest_pause, rhythm.silent_from) == (None, None, None)
    assert (rhythm.is_running(rhythm.ended_at + 9 * MINUTE), rhythm.is_running(clock.now() + MINUTE)) == (True, False)


def test_a_provider_is_silent_after_three_of_its_usual_cycles(
    acme: Enterprise, move: Move, rhythms: Callable[[], list[Rhythm]]
) -> None:
    for _ in range(4):
        run_cycle(acme, move, until_next=60 * MINUTE)

    (rhythm,) = rhythms()

    assert (rhythm.usual_cycle, rhythm.longest_pause) == (60 * MINUTE, 58 * MINUTE)
    assert [rhythm.is_silent(rhythm.ended_at + minutes * MINUTE) for minutes in (179, 181)] == [False, True]


def test_a_provider_that_is_quiet_at_night_is_not_silent_at_night(
    acme: Enterprise, move: Move, rhythms: Callable[[], list[Rhythm]]
) -> None:
    for pause in (60, 60, 60, 14 * 60, 60, 60, 60):
        run_cycle(acme, move, until_next=pause * MINUTE)

    (rhythm,) = rhythms()

    assert rhythm.usual_cycle == 60 * MINUTE
    assert [rhythm.is_silent(rhythm.ended_at + hours * 60 * MINUTE) for hours in (14, 15)] == [False, True]


def test_a_pause_before_the_last_two_weeks_does_not_count(
    acme: Enterprise, move: Move, rhythms: Callable[[], list[Rhythm]]
) -> None:
    for pause in (1 * DAY, 3 * DAY, 5 * DAY, 5 * DAY, 5 * DAY):
        run_cycle(acme, move, until_next=pause)

    (rhythm,) = rhythms()

    assert (rhythm.usual_cycle, rhythm.longest_pause) == (5 * DAY, 5 * DAY - 2 * MINUTE)


def test_two_cycles_show_no_rhythm(acme: Enterprise, move: Move, rhythms: Callable[[], list[Rhythm]]) -> None:
    run_cycle(acme, move, until_next=40 * MINUTE)
    run_cycle(acme, move, until_next=40 * MINUTE)

    (rhythm,) = rhythms()

    assert (rhythm.usual_cycle, rhythm.is_silent(clock.now() + 20 * DAY)) == (None, False)


def test_two_processes_continue_one_cycle(
    acme: Enterprise, move: Move, rhythms: Callable[[], list[Rhythm]], cli: Cli
) -> None:
    start = clock.now()
    ask(acme)
    move(4 * MINUTE)
    ask(acme)
    with reading() as connection:
        (integration_id,) = (row.integration_id for row in list_newest_cycles(connection))
    with writing() as connection:  # the other process was first to write, and its last request is later
        note_requests(
            connection,
            acme.made["id"],
            integration_id,
            first_at=start + 6 * MINUTE,
            last_at=start + 7 * MINUTE,
        )
    write_last_uses(acme.app)

    (rhythm,) = rhythms()

    assert (rhythm.started_at - start, rhythm.ended_at - start) == (0 * MINUTE, 7 * MINUTE)


def test_requests_to_the_enterprise_api_are_no_cycle(
    acme: Enterprise, api: Api, rhythms: Callable[[], list[Rhythm]]
) -> None:
    api.get("/users")
    write_last_uses(acme.app)

    assert rhythms() == []


def test_revoked_integrations_have_no_rhythm(acme: Enterprise, cli: Cli, rhythms: Callable[[], list[Rhythm]]) -> None:
    ask(acme)
    assert [each.integration for each in rhythms()] == ["Microsoft Entra ID"]

    cli("integration", "revoke", "Acme", acme.made["client_id"])

    assert rhythms() == []


def test_cycles_are_kept_for_a_month_and_deleted_with_their_enterprise(
    acme: Enterprise, move: Move, rhythms: Callable[[], list[Rhythm]], cli: Cli
) -> None:
    run_cycle(acme, move, until_next=29 * DAY)
    run_cycle(acme, move, until_next=2 * DAY)
    assert rhythms()[0].longest_pause is None  # the first cycle is older than two weeks

    sum(prune_everything())
    with reading() as connection:
        assert [row.started_at for row in list_newest_cycles(connection)] == [clock.timestamp(rhythms()[0].started_at)]

    cli("enterprise", "delete", "Acme", "--yes")
    with reading() as connection:
        assert list_newest_cycles(connection) == []
