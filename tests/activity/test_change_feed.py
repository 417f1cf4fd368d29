"""The change feed has each change of a user once, in commit order (contract section 8)."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from scimsvc import clock
from scimsvc.activity.feed_reading import Waiters
from scimsvc.activity.pruning import FEED
from scimsvc.activity.state import waiters
from scimsvc.enterprises import manual_users
from scimsvc.errors import Gone, InvalidInput
from scimsvc.store.fast import driver
from scimsvc.web.state import web_state
from tests.support.apps import make_enterprise
from tests.support.client import Enterprise, replace, user_body
from tests.support.records import changes_of, feed_of
from tests.support.types import Cli


def entry(kind: str, changed: list[str], *sides: Any, email: str = "test.user@contoso.example") -> dict[str, Any]:
    role, active, old_role, old_active = sides
    return {
        "type": kind, "email": email, "changed": changed,
        "role": role, "active": active, "old_role": old_role, "old_active": old_active,
    }  # fmt: skip


def test_every_change_of_a_user_has_an_entry(acme: Enterprise) -> None:
    user = acme.create(roles=["User"])
    acme.patch(user, replace("title", "Boss"), replace("name.familyName", "Hand"))
    acme.patch(user, replace("title", "Boss"))
    acme.patch(user, replace("roles", "PowerSigner"))
    acme.patch(user, replace("active", False), replace("title", "Gone"))
    acme.patch(user, replace("active", True), replace('emails[type eq "work"].value', "new@x.example"))
    acme.patch(user, replace("title", "x"), replace("id", "x"))  # refused
    acme.send("DELETE", f"/Users/{user['id']}")

    new = {"email": "new@x.example"}
    assert changes_of(acme, user["id"]) == [
        entry("created", ["userName", "active", "emails", "roles"], "User", True, None, None),
        entry("updated", ["name.familyName", "title"], "User", True, "User", True),
        entry("updated", ["roles"], "Power Signer", True, "User", True),
        entry("disabled", ["title", "active"], "Power Signer", False, "Power Signer", True),
        entry("enabled", ["active", "emails"], "Power Signer", True, "Power Signer", False, **new),
        entry("deleted", [], "Power Signer", False, "Power Signer", True, **new),
    ]


def test_a_manual_user_s_changes_and_its_take_over_have_entries(acme: Enterprise) -> None:
    given = {"email": "by.hand@x.example", "user_name": "By Hand", "title": "Own"}
    with acme.app.app_context():
        user = manual_users.create_manual_user("Acme", given)
        manual_users.update_manual_user("Acme", user["id"], {"role": "User", "phone": "12"})
        manual_users.update_manual_user("Acme", user["id"], {"active": False})
        manual_users.update_manual_user("Acme", user["id"], {"active": False})
    acme.patch(user, replace("userName", "By Hand"))
    acme.patch(user, replace("userName", "By Entra"))

    address = {"email": "by.hand@x.example"}
    assert changes_of(acme, user["id"]) == [
        entry("created", ["userName", "active", "emails", "title"], "DefaultEnterprise", True, None, None, **address),
        entry("updated", ["phoneNumbers", "roles"], "User", True, "DefaultEnterprise", True, **address),
        entry("disabled", ["active"], "User", False, "User", True, **address),
        entry("taken_over", [], "User", False, "User", False, **address),
        entry("updated", ["userName"], "User", False, "User", False, **address),
    ]


def test_a_consumer_that_stops_anywhere_sees_each_change_once(acme: Enterprise) -> None:
    users = [acme.create(email=f"user{number}@x.example") for number in range(7)]
    everything = feed_of(acme)["items"]

    for step in (1, 2, 3, 7, 8):
        seen, after = [], None
        while page := feed_of(acme, after, limit=step)["items"]:
            seen += page
            after = page[-1]["cursor"]
        assert seen == everything
    assert [each["user_id"] for each in everything] == [user["id"] for user in users]
    again = feed_of(acme, everything[-1]["cursor"])
    assert again == {"items": [], "next": again["next"]}
    acme.patch(users[0], replace("title", "x"))
    assert [each["changed"] for each in feed_of(acme, again["next"])["items"]] == [["title"]]


@contextmanager
def late_commits(delay: Callable[[], float]) -> Iterator[None]:
    """Delay every commit of this process after its writes."""
    commit = driver.commit

    def wait_and_commit(connection: Connection) -> None:
        time.sleep(delay())
        commit(connection)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(driver, "commit", wait_and_commit)
        yield


def test_no_change_is_skipped_however_late_its_transaction_commits(acme: Enterprise) -> None:
    # If a change got its number early and were committed late, a reader could miss it. Here every writer commits after
    # a random delay while a reader follows the feed.
    writers, each_writes = 6, 5
    chance = random.Random(7)
    seen: list[str] = []
    done = threading.Event()

    def write(number: int) -> None:
        for count in range(each_writes):
            answer = acme.send("POST", "/Users", user_body(f"user{number}.{count}@x.example"))
            assert answer.status_code == 201, answer.text

    def follow() -> None:
        after = None
        while True:
            finished = done.is_set()
            page = feed_of(acme, after)
            seen.extend(each["email"] for each in page["items"])
            after = page["next"]
            if finished:
                return

    reader = threading.Thread(target=follow)
    threads = [threading.Thread(target=write, args=(number,)) for number in range(writers)]
    with late_commits(lambda: chance.random() * 0.03):
        for thread in [reader, *threads]:
            thread.start()
        for thread in threads:
            thread.join()
        done.set()
        reader.join()

    everything = [each["email"] for each in feed_of(acme)["items"]]
    assert seen == everything
    assert len(set(seen)) == len(seen) == writers * each_writes


def test_a_request_waits_for_the_next_change(acme: Enterprise) -> None:
    after = feed_of(acme)["next"]
    timer = threading.Timer(0.3, acme.create)
    timer.start()

    begun = time.monotonic()
    page = feed_of(acme, after, wait=10)
    timer.join()

    assert [each["type"] for each in page["items"]] == ["created"]
    assert 0.2 < time.monotonic() - begun < 9


def test_an_enterprise_has_half_of_the_places_and_others_are_answered_at_once(acme: Enterprise) -> None:
    four = Waiters(4)
    assert [four.enter("acme") for _ in range(3)] == [True, True, False]
    assert [four.enter(name) for name in ("globex", "initech", "hooli")] == [True, True, False]
    four.leave("acme")
    assert [four.enter(name) for name in ("acme", "acme")] == [True, False]
    assert [Waiters(0).enter("acme"), Waiters(1).enter("acme")] == [False, True]

    of_app = waiters.of(acme.app)
    assert of_app.enter("another enterprise")
    begun = time.monotonic()
    assert feed_of(acme, wait=20)["items"] == []
    assert time.monotonic() - begun < 10


def test_a_stop_ends_the_waiting(acme: Enterprise) -> None:
    web_state.of(acme.app).stopping.set()

    begun = time.monotonic()
    assert feed_of(acme, wait=20)["items"] == []
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize("cursor", ["", "1", "made.up", "WzFd.AAAA"])
def test_an_invented_cursor_is_refused(acme: Enterprise, cursor: str) -> None:
    acme.create()

    with pytest.raises(InvalidInput, match="is not a cursor"):
        feed_of(acme, cursor)


def test_a_borrowed_cursor_is_refused(acme: Enterprise) -> None:
    rival = make_enterprise(acme.app, "Rival")
    rival.create()

    with pytest.raises(InvalidInput, match="is not a cursor"):
        feed_of(acme, feed_of(rival)["next"])


def test_a_cursor_before_the_stored_changes_is_gone(
    acme: Enterprise, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme.token = cli("token", "issue", "Acme", "--days=365")["access_token"]
    beginning = feed_of(acme)["next"]
    users = [acme.create(email=f"{number}@x.example") for number in range(3)]
    first, second, third = feed_of(acme)["items"]
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=91))

    with acme.app.app_context():
        pruned = [sum(FEED.prune()) for _ in range(2)]

    assert pruned == [2, 0]
    for cursor in (beginning, first["cursor"]):
        with pytest.raises(Gone):
            feed_of(acme, cursor)
    assert feed_of(acme, second["cursor"])["items"] == feed_of(acme)["items"] == [third]
    acme.send("DELETE", f"/Users/{users[0]['id']}")
    assert [each["type"] for each in feed_of(acme, third["cursor"])["items"]] == ["deleted"]
    listed = acme.send("GET", "/Users", query={"count": "1"}).get_json()
    assert listed["totalResults"] == 2


def test_a_cursor_from_a_later_state_of_the_database_is_gone(acme: Enterprise) -> None:
    acme.create()
    keys = web_state.of(acme.app).cursor_keys

    with pytest.raises(Gone):
        feed_of(acme, keys.write(5, acme.made["id"], "changes"))


@pytest.mark.requirement("R25")
def test_the_feed_has_disabled_and_deleted_users_at_once(acme: Enterprise) -> None:
    user, gone = acme.create(), acme.create(email="gone@contoso.example")
    cursor = feed_of(acme)["next"]

    acme.patch(user, replace("active", False))
    acme.send("DELETE", f"/Users/{gone['id']}")
    acme.patch(user, replace("active", True))

    heard = [(entry["type"], entry["user_id"]) for entry in feed_of(acme, cursor)["items"]]
    assert heard == [("disabled", user["id"]), ("deleted", gone["id"]), ("enabled", user["id"])]
