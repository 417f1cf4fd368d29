"""When a refusal is open: dismissed, repeated, or of a person whom the provider does not send any more."""

from datetime import datetime, timedelta

import pytest

from scimsvc import clock
from scimsvc.errors import NoSuchThing
from scimsvc.reports.dismissing import dismiss_errors
from scimsvc.reports.open_causes import OpenCause, list_open_causes
from scimsvc.store.cycles import note_requests
from scimsvc.store.engine.transactions import writing
from scimsvc.store.tenancy import reading_in
from tests.support.apps import run_command
from tests.support.client import Enterprise, replace, user_body
from tests.support.records import audit_of

DAY = timedelta(days=1)


def open_causes(enterprise: Enterprise) -> list[OpenCause]:
    with enterprise.app.app_context(), reading_in(enterprise.made["id"]) as tenant:
        return list_open_causes(tenant)


def people(enterprise: Enterprise) -> list[list[str | None]]:
    return [[each.email or each.user_name for each in cause.people] for cause in open_causes(enterprise)]


def refuse(enterprise: Enterprise, email: str, user_agent: str = "") -> None:
    body = user_body(email, roles=["Signer"])
    answer = enterprise.send("POST", "/Users", body, headers={"User-Agent": user_agent})
    assert answer.status_code == 400, answer.text


def dismiss(enterprise: Enterprise, cause: OpenCause, entry_id: str | None = None) -> int:
    with enterprise.app.app_context():
        return dismiss_errors(enterprise.made["id"], cause.key, entry_id=entry_id)


def note_cycles(enterprise: Enterprise, *times: datetime) -> None:
    """Note cycles of the integration like the worker."""
    (integration,) = run_command(enterprise.app, "integration", "list", "Acme")
    with enterprise.app.app_context(), writing() as connection:
        for time in times:
            note_requests(connection, enterprise.made["id"], integration["id"], first_at=time, last_at=time)


def move_clock(monkeypatch: pytest.MonkeyPatch, days: float) -> None:
    moment = clock.now() + timedelta(days=days)
    monkeypatch.setattr(clock, "now", lambda: moment)


def test_errors_are_dismissed_one_by_one_or_together_until_they_are_refused_again(acme: Enterprise) -> None:
    for email in ("a@x.example", "b@x.example", "c@x.example"):
        refuse(acme, email)
    (cause,) = open_causes(acme)

    assert dismiss(acme, cause, cause.people[0].entry_id) == 1
    assert people(acme) == [["b@x.example", "a@x.example"]]
    assert dismiss(acme, cause) == 2
    assert people(acme) == []
    refuse(acme, "a@x.example")
    assert people(acme) == [["a@x.example"]]

    recorded = [(each["action"], each["after"]) for each in audit_of(acme.app, acme.made["id"])[:2]]
    assert recorded == [
        ("log.errors_dismissed", {"cause": "Unknown role “Signer”", "errors": 2}),
        ("log.errors_dismissed", {"cause": "Unknown role “Signer”", "errors": 1}),
    ]


def test_what_is_not_open_cannot_be_dismissed(acme: Enterprise) -> None:
    refuse(acme, "a@x.example")
    (cause,) = open_causes(acme)

    with pytest.raises(NoSuchThing, match="not open any more"):
        dismiss(acme, cause, "f" * 32)
    acme.create(email="a@x.example")
    with pytest.raises(NoSuchThing, match="not open any more"):
        dismiss(acme, cause)


@pytest.mark.parametrize(
    ("user_agent", "cycles_after", "days", "is_open"),
    [
        ("", (1, 2, 2.9), 3.1, False),
        ("", (1, 2, 2.9), 2.9, True),  # Entra may still repeat the request
        ("", (1, 1.1, 1.2, 1.3), 3.1, True),  # the provider was silent
        ("", (), 30, True),
        ("Okta SCIM Client 1.0.0", (1, 2, 3, 4), 5, True),  # Okta does not repeat requests
    ],
)
def test_an_error_ends_if_the_provider_goes_on_without_the_person(
    acme: Enterprise, monkeypatch: pytest.MonkeyPatch, user_agent: str, cycles_after: tuple[float, ...],
    days: float, is_open: bool,
) -> None:  # fmt: skip
    noon = clock.now().replace(hour=12)
    monkeypatch.setattr(clock, "now", lambda: noon)
    acme.token = run_command(acme.app, "token", "issue", "Acme", "--days", "90")["access_token"]
    refuse(acme, "a@x.example", user_agent)
    note_cycles(acme, *(noon + each * DAY for each in cycles_after))

    move_clock(monkeypatch, days)

    assert people(acme) == ([["a@x.example"]] if is_open else [])


def test_a_person_without_an_address_is_counted_once_and_closed_by_the_external_id(
    acme: Enterprise, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = user_body(None, emails=None, userName="Lee Gu", externalId="lee.gu")
    for _ in range(3):
        acme.send("POST", "/Users", body)
    for name in ("Joni", "JONI"):
        acme.send("POST", "/Users", user_body(None, emails=None, userName=name))
    assert people(acme) == [["JONI", "Lee Gu"]]

    move_clock(monkeypatch, 1.5)
    assert people(acme) == [["JONI", "Lee Gu"]]
    run_command(acme.app, "user", "create", "Acme", "lee@x.example", "--external-id", "lee.gu")
    assert people(acme) == [["JONI"]]


def test_an_error_is_open_since_the_first_refusal_after_the_last_success(
    acme: Enterprise, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme.token = run_command(acme.app, "token", "issue", "Acme", "--days", "90")["access_token"]
    user = acme.create(email="a@x.example")
    acme.patch(user, replace("title", 5))
    acme.patch(user, replace("title", "Boss"))
    move_clock(monkeypatch, 1)
    first = clock.timestamp(clock.now())
    for _ in range(3):
        acme.patch(user, replace("title", 5))
        move_clock(monkeypatch, 1)

    (cause,) = open_causes(acme)

    assert (cause.since, cause.refusals, cause.last > cause.since) == (first, 1, True)


def test_a_taken_address_is_fixed_when_its_owner_gives_it_up(acme: Enterprise) -> None:
    owner, other = acme.create(email="taken@x.example"), acme.create(email="other@x.example", userName="Other")
    acme.send("POST", "/Users", user_body("taken@x.example"))
    acme.patch(other, replace('emails[type eq "work"].value', "taken@x.example"))
    assert [each.is_fixed for each in open_causes(acme)] == [False, False]

    acme.send("DELETE", f"/Users/{owner['id']}")

    # The deletion of the user with the address closes the creation, whose address it has.
    assert [(each.is_fixed, each.people[0].email) for each in open_causes(acme)] == [(True, "other@x.example")]


def test_requests_on_hold_are_no_errors_and_name_people_by_address(acme: Enterprise) -> None:
    user = acme.create(email="a@x.example")
    refuse(acme, "b@x.example")
    run_command(acme.app, "enterprise", "pause", "Acme")
    acme.patch(user, replace("active", False))
    acme.send("POST", "/Users", user_body("c@x.example"))

    error, held = open_causes(acme)

    assert (error.is_error, error.not_created) == (True, 1)
    assert (held.is_error, held.is_on_hold, held.cause) == (False, True, "paused")
    assert [(each.email, each.is_stored) for each in held.people] == [("c@x.example", False), ("a@x.example", True)]
    assert (held.not_created, held.not_changed, held.not_deleted) == (1, 1, 0)
