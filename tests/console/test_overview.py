"""The overview page of an enterprise: warnings, open refusals with their remedies, and plots."""

import re
from html import unescape
from typing import Any

import pytest

from scimsvc.console.plots import HEIGHT, WIDTH, plot_series
from scimsvc.enterprises import enterprises
from tests.support.client import Enterprise, replace, user_body
from tests.support.console import Console, of, text
from tests.support.types import Cli


def change(enterprise: Enterprise, **settings: Any) -> None:
    with enterprise.app.app_context():
        enterprises.update_enterprise(enterprise.made["id"], settings)


def refuse(enterprise: Enterprise, email: str, role: str) -> None:
    enterprise.send("POST", "/Users", user_body(email, roles=[{"value": role, "primary": True}]))


def test_an_enterprise_without_anything_says_what_to_do_next(admin: Console, acme: Enterprise) -> None:
    page = admin.get(of(acme))

    assert "No requests from Entra yet." in text(page)
    assert f'href="{of(acme)}/set-up"' in page
    assert "No activity in this time." in text(page)


def test_numbers_have_their_plurals_and_lead_to_the_users(admin: Console, acme: Enterprise) -> None:
    acme.create(email="a@x.example", active=False)
    refuse(acme, "b@x.example", "Janitor")

    page = admin.get(of(acme))

    words = text(page)
    assert "Users 1 0 active , 1 disabled Errors 1 1 cause On hold 0" in words
    assert f'href="{of(acme)}/users?active=false"' in page


def test_a_refusal_has_its_cause_in_words_and_its_remedies(admin: Console, acme: Enterprise, cli: Cli) -> None:
    refuse(acme, "b@x.example", "Jani & tor")

    page = admin.get(of(acme))
    links = map(unescape, re.findall(r'<a class="button small" href="([^"]*roles/[^"]*)"', page))

    assert "Unknown role “Jani & tor”" in text(page)
    assert list(links) == [f"{of(acme)}/roles/preview?name=Jani+%26+tor", f"{of(acme)}/roles/new?name=Jani+%26+tor"]
    cli("role", "update", "Acme", "User", "--alias", "Jani & tor")
    assert "0 1 fixed, waiting for Entra" in text(admin.get(of(acme)))


def test_every_remedy_is_an_existing_page(admin: Console, acme: Enterprise) -> None:
    acme.create(email="taken@x.example")
    change(acme, unique_user_name=True, reject_unknown_attributes=True)
    bodies = [
        user_body("taken@x.example", userName="Another"),
        user_body("other@x.example"),
        user_body("third@x.example", userName="Third", unheard="of"),
        user_body("no address", userName="Fourth"),
        user_body("fifth@x.example", userName="Fifth", roles=[{"value": "User"}, {"value": "Power Signer"}]),
        user_body("sixth@x.example", userName="Sixth", roles=[{"value": "Nobody"}]),
    ]
    for body in bodies:
        acme.send("POST", "/Users", body)
    change(acme, paused=True)
    refuse(acme, "paused@x.example", "User")

    page = admin.get(of(acme))
    remedies = re.findall(r'<a class="button small(?: cause-action)?" href="([^"]+)"', page)

    assert len(set(remedies)) >= 5
    for link in remedies:
        admin.get(unescape(link))


@pytest.mark.parametrize(
    ("settings", "words", "button"),
    [
        ({"paused": True}, "Provisioning is paused.", "Resume provisioning"),
        ({"scim_enabled": False}, "SCIM provisioning is off.", "Enable SCIM provisioning"),
        ({}, "", "Pause provisioning"),
    ],
)
def test_settings_that_stop_provisioning_have_a_button(
    admin: Console, acme: Enterprise, settings: dict[str, Any], words: str, button: str
) -> None:
    change(acme, **settings)

    page = text(admin.get(of(acme)))

    assert words in page
    assert button in page


def test_a_reached_removal_limit_is_shown_and_released(admin: Console, acme: Enterprise) -> None:
    users = [acme.create(email=f"u{number}@x.example") for number in range(2)]
    change(acme, removal_limit={"users": 1, "hours": 24})
    acme.patch(users[0], replace("active", False))

    page = admin.get(of(acme))

    assert "Removal limit reached. 1 user was disabled or deleted within 24 hours" in text(page)
    release = f"{of(acme)}/settings/release"
    assert f'href="{release}"' in page
    admin.follow(release)
    assert "The removal limit is suspended until" in text(admin.get(of(acme)))


def test_tokens_show_the_days_left(admin: Console, acme: Enterprise, cli: Cli) -> None:
    short = cli("token", "issue", "Acme", "--days", "2")["access_token"]

    page = admin.get(of(acme))

    assert re.search(r'<span class="badge bad">2 days left</span>', page)
    assert re.search(r'<span class="badge warn">7 days left</span>', page)
    assert '<div class="stat warn"><dt>Token expires in</dt>' in page  # no token is in use, and the last one counts
    acme.send("GET", "/Users", token=short).close()
    assert '<div class="stat bad"><dt>Token expires in</dt>' in admin.get(of(acme))


@pytest.mark.parametrize("by", ["hours", "days"])
def test_plots_are_pictures_with_a_title_a_description_and_a_table(admin: Console, acme: Enterprise, by: str) -> None:
    acme.create()
    refuse(acme, "b@x.example", "Janitor")

    page = admin.get(f"{of(acme)}?by={by}")

    titles = re.findall(r'<title id="plot-\w+-title">([^<]+)</title>', page)
    unit = by.removesuffix("s")
    assert titles == [f"{name} by {unit}" for name in ("Created", "Changed", "Disabled or deleted", "Refused")]
    assert len(re.findall(r"<rect x=", page)) == 2
    assert re.search(rf"1 in the last \d+ {by}\. Peak: 1 at ", page)
    assert 'style="' not in page
    assert re.search(r'<td class="number" data-label="Created">1</td>', page)


def test_an_unknown_scale_is_the_default_one(admin: Console, acme: Enterprise) -> None:
    assert "by hour" in admin.get(f"{of(acme)}?by=century")


def test_names_of_all_kinds_are_shown_as_they_are(operator: Console, app: Any, cli: Cli) -> None:
    name = "<b>Söhne</b> & مريم"
    made = cli("enterprise", "create", name, "--enable-scim", "--role", "<i>Role</i>")
    enterprise = Enterprise(app, made, cli("token", "issue", made["id"])["access_token"])
    refuse(enterprise, "b@x.example", "<script>alert(1)</script>")

    page = operator.get(of(enterprise))

    assert "<b>Söhne" not in page
    assert "<i>Role" not in page
    assert "<script>alert" not in page
    assert "Unknown role “<script>alert(1)</script>”" in text(page)


def test_another_enterprises_administrator_finds_nothing(admin: Console, app: Any, cli: Cli) -> None:
    other = Enterprise(app, cli("enterprise", "create", "Other"), "")

    for page in ("", "/users", "/users/new", "/log", "/log.csv", "/explain"):
        admin.get(of(other) + page, 404)


def test_a_plot_keeps_within_its_frame() -> None:
    spans = [{"start": f"2026-11-{day:02}T00:00:00.000Z", "created": day**4} for day in range(1, 31)]

    plot = plot_series(spans, "created", label="Created", unit="day")

    assert (plot.total, plot.peak, len(plot.bars)) == (sum(day**4 for day in range(1, 31)), 30**4, 30)
    assert all(bar.x >= 0 and bar.x + bar.width <= WIDTH for bar in plot.bars)
    assert all(bar.y >= 0 and abs(bar.y + bar.height - HEIGHT) < 0.02 and bar.height >= 3 for bar in plot.bars)
    assert plot.description.endswith("Peak: 810,000 at 2026-11-30.")


def test_a_plot_of_nothing_says_so() -> None:
    spans = [{"start": "2026-11-01T00:00:00.000Z", "created": 0}]

    plot = plot_series(spans, "created", label="Created", unit="hour")

    assert (plot.bars, plot.description) == ([], "No requests in the last 1 hours.")
