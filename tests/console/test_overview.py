"""The overview page of an enterprise: warnings, open refusals with their remedies, and plots."""

import re
from html import unescape
from typing import Any

import pytest

from scimsvc.console.plots import is_marked, plot_series, ticks
from scimsvc.enterprises import enterprises
from tests.support.client import Enterprise, replace, user_body
from tests.support.console import Console, of, text
from tests.support.types import Cli

pytestmark = pytest.mark.both_databases


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
    assert list(links) == [
        f"{of(acme)}/roles/preview?name=Jani+%26+tor#alias",
        f"{of(acme)}/roles/new?name=Jani+%26+tor",
    ]
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


@pytest.mark.parametrize("time_range", ["24h", "7d", "30d"])
def test_plots_have_axes_a_table_and_bars_that_lead_to_the_log(
    admin: Console, acme: Enterprise, time_range: str
) -> None:
    acme.create()
    refuse(acme, "b@x.example", "Janitor")

    page = admin.get(f"{of(acme)}?range={time_range}")

    created, refused = (link.replace("&amp;", "&") for link in re.findall(r'<a href="([^"]+)" aria-label="20', page))
    assert re.search(r'aria-label="\d{4}-\d\d-\d\d \d\d:\d\d to [^"]* UTC: 1"', page)
    assert re.search(r'<p class="y-axis" aria-hidden="true"><span>1</span><span>0</span></p>', page)
    assert 'style="' not in page
    assert re.search(r'<td class="number" data-label="Created">1</td>', page)
    assert [len(re.findall('<tr id="entry-', admin.get(link))) for link in (created, refused)] == [1, 1]
    assert "Unknown role" in admin.get(refused)


def test_an_unknown_range_or_zone_is_the_default_one(admin: Console, acme: Enterprise) -> None:
    page = admin.get(f"{of(acme)}?range=century&zone=/etc/passwd")

    assert re.search(r'range=24h#over-time" aria-current="true"', page)
    assert "range=30d" in admin.get(f"{of(acme)}?range=30d&zone=Nowhere/{'x' * 99}")


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
    spans = [
        {"start": f"2026-11-{day:02}T00:00:00.000Z", "end": f"2026-11-{day + 1:02}T00:00:00.000Z", "created": day**4}
        for day in range(1, 30)
    ]

    plot = plot_series(spans, "created", query={"effect": "created"})

    assert (plot.total, plot.peak, len(plot.bars)) == (sum(day**4 for day in range(1, 30)), 29**4, 29)
    assert all(bar.x >= 0 and bar.x + bar.width <= 100 for bar in plot.bars)
    assert all(0 <= bar.y <= 96 and abs(bar.y + bar.height - 100) < 0.02 for bar in plot.bars)
    assert plot.description.endswith("Peak: 707,281 at 2026-11-29 00:00 to 2026-11-30 00:00 UTC.")
    assert plot.bars[0].query == {"effect": "created", "since": "2026-11-01T00:00", "until": "2026-11-01T23:59"}
    assert [is_marked(each.start, "day") for each in ticks(spans)].count(True) == 4


def test_a_plot_of_nothing_says_so() -> None:
    spans = [{"start": "2026-11-01T00:00:00.000Z", "end": "2026-11-01T01:00:00.000Z", "created": 0}]

    plot = plot_series(spans, "created", query={})

    assert (plot.bars, plot.description) == ([], "None.")
