"""The change feed over HTTP (contract section 8)."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text

from scimsvc.activity.feed_reading import FeedReader, Waiters
from scimsvc.activity.state import waiters
from scimsvc.extensions import db
from scimsvc.web.state import web_state
from tests.support.client import Api, Enterprise, assert_problem, replace
from tests.support.live import PATIENCE
from tests.support.types import MakeApp


def test_an_entry_has_enough_to_act_without_another_request(acme: Enterprise, api: Api) -> None:
    user = acme.create(roles=["User"])
    acme.patch(user, replace("roles", "PowerSigner"), replace("active", False))

    page = api.get("/changes")

    assert [{name: each[name] for name in each if name not in ("cursor", "time")} for each in page["items"]] == [
        {
            "type": "created", "user_id": user["id"], "email": "test.user@contoso.example",
            "changed": ["userName", "active", "emails", "roles"],
            "role": "User", "active": True, "old_role": None, "old_active": None,
        },
        {
            "type": "disabled", "user_id": user["id"], "email": "test.user@contoso.example",
            "changed": ["active", "roles"],
            "role": "Power Signer", "active": False, "old_role": "User", "old_active": True,
        },
    ]  # fmt: skip
    assert page["next"] == page["items"][-1]["cursor"]
    assert api.get("/changes", after=page["next"]) == {"items": [], "next": page["next"]}


def test_a_consumer_that_stops_anywhere_and_resumes_sees_each_change_once(
    acme: Enterprise, api: Api, make_app: MakeApp
) -> None:
    """The consumer stores its cursor together with the applied changes, as in one transaction."""
    dice, done, kept = random.Random(7), [], None
    ids: list[str] = []
    for step in range(60):
        if step < 30:
            user = acme.create(email=f"user{step}@contoso.example")
            ids.append(user["id"])
            if step % 3 == 0:
                acme.patch(user, replace("active", False))
        # Read some changes, apply some of them, and stop. Sometimes the service is another process.
        api.enterprise.app = make_app() if step % 20 == 19 else acme.app
        query = {"limit": str(dice.randint(1, 5))} | ({"after": kept} if kept else {})
        page = api.get("/changes", **query)
        acted = page["items"][: dice.randint(0, len(page["items"]))]
        done += [(each["user_id"], each["type"]) for each in acted]
        kept = acted[-1]["cursor"] if acted else kept

    rest = api.get("/changes", **({"after": kept} if kept else {}))["items"]

    done += [(each["user_id"], each["type"]) for each in rest]
    expected = []
    for number, user_id in enumerate(ids):
        expected += [(user_id, "created")] + ([(user_id, "disabled")] if number % 3 == 0 else [])
    assert done == expected


@pytest.fixture
def waiting(api: Api) -> Iterator[Callable[..., Any]]:
    """Send a request that waits, and return a future of its response and of its duration in seconds."""
    with ThreadPoolExecutor(8) as threads:

        def send(**query: str) -> Any:
            def run() -> tuple[dict[str, Any], float]:
                begun = time.monotonic()
                return api.get("/changes", **query), time.monotonic() - begun

            return threads.submit(run)

        yield send
        web_state.of(api.enterprise.app).stopping.set()


def wait_until_waiting(enterprise: Enterprise, number: int) -> None:
    """Return when this number of requests waits for changes."""
    deadline = time.monotonic() + PATIENCE
    while waiters.of(enterprise.app)._waiting.total() < number:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_latest_is_the_end_of_the_feed(acme: Enterprise, api: Api) -> None:
    empty = api.get("/changes", after="latest")
    acme.create()
    end = api.get("/changes", after="latest")
    acme.create(email="second@x.example")

    assert (empty["items"], end["items"]) == ([], [])
    assert end["next"] == api.get("/changes", after=empty["next"], limit="1")["next"] != empty["next"]
    assert [each["email"] for each in api.get("/changes", after=end["next"])["items"]] == ["second@x.example"]


def test_a_waiting_request_wakes_up_for_the_next_change(
    acme: Enterprise, api: Api, waiting: Callable[..., Any]
) -> None:
    start = api.get("/changes")["next"]

    answer = waiting(after=start, wait="20")
    wait_until_waiting(acme, 1)
    time.sleep(0.4)
    assert not answer.done()
    user = acme.create()
    page, seconds = answer.result(10)

    assert [(each["type"], each["user_id"]) for each in page["items"]] == [("created", user["id"])]
    assert 0.4 <= seconds < 10


def test_a_wait_without_a_change_ends_with_the_same_cursor(api: Api, waiting: Callable[..., Any]) -> None:
    start = api.get("/changes")["next"]

    page, seconds = waiting(after=start, wait="0.5").result(10)

    assert page == {"items": [], "next": start}
    assert 0.5 <= seconds < 5


def test_half_of_the_places_wait_and_further_callers_are_answered_at_once(
    acme: Enterprise, api: Api, waiting: Callable[..., Any]
) -> None:
    waiters.init_app(acme.app, Waiters(4))  # two places for each enterprise
    start = api.get("/changes")["next"]
    patient = [waiting(after=start, wait="20") for _ in range(2)]
    wait_until_waiting(acme, 2)

    page, seconds = waiting(after=start, wait="20").result(10)
    others = [api.send("GET", path).status_code for path in ("/roles", "/users")]
    acme.create()

    assert (page["items"], page["next"]) == ([], start)
    assert seconds < 5
    assert others == [200, 200]
    assert all(answer.result(10)[0]["items"] for answer in patient)
    # Both places are free again.
    late = waiting(after=api.get("/changes")["next"], wait="0.3").result(10)
    assert late[1] >= 0.3


def test_a_stop_ends_the_waiting(acme: Enterprise, api: Api, waiting: Callable[..., Any]) -> None:
    answer = waiting(after=api.get("/changes")["next"], wait="20")
    threading.Timer(0.3, web_state.of(acme.app).stopping.set).start()

    page, seconds = answer.result(10)

    assert page["items"] == []
    assert seconds < 10


def test_no_request_waits_longer_than_25_seconds(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []

    def note(*_: Any, wait: float, **__: Any) -> dict[str, Any]:
        asked.append(wait)
        return {"items": [], "next": ""}

    monkeypatch.setattr(FeedReader, "read", note)
    for wait in ("0", "3", "25", "26", "9" * 400, "1e300"):
        api.get("/changes", wait=wait)

    assert asked == [0, 3, 25, 25, 25, 25]


def test_a_cursor_whose_changes_were_pruned_is_gone(acme: Enterprise, api: Api) -> None:
    acme.create(email="one@contoso.example")
    old = api.get("/changes")["items"][0]["cursor"]
    acme.create(email="two@contoso.example")
    middle = api.get("/changes")["next"]
    acme.create(email="three@contoso.example")
    with acme.app.app_context(), db.engine.begin() as connection:
        connection.execute(text("DELETE FROM changes WHERE number <= 2"))

    gone = api.send("GET", "/changes", query={"after": old})

    assert_problem(gone, 410, "no longer stored", "GET /api/v1/users")
    assert [each["email"] for each in api.get("/changes", after=middle)["items"]] == ["three@contoso.example"]
    assert [each["email"] for each in api.get("/changes")["items"]] == ["three@contoso.example"]
