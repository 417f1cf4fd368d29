"""The steps of the connection: they fold when they are done, and administrators tick those at the provider."""

import re

import pytest

from scimsvc.console.outside_links import LINKS
from tests.support.client import Enterprise, user_body
from tests.support.console import Console, make_admin, of, text

ALL = ["enable", "token", "connection", "roles", "mapping", "groups", "people", "progress"]


def steps(page: str) -> dict[str, tuple[bool, bool]]:
    """Return for each step whether it is done, and whether it is open."""
    found = re.findall(
        r'<li class="step card( done)?">\s*<details( open)?>.*?<div class="step-body" id="(\w+)"', page, re.DOTALL
    )
    return {step: (bool(done), bool(opened)) for done, opened, step in found}


def test_steps_fold_when_they_are_done(acme: Enterprise, admin: Console) -> None:
    acme.send("POST", "/Users", user_body("ada@acme.example"))

    shown = steps(admin.get(of(acme) + "/set-up"))

    assert list(shown) == ALL
    assert shown["enable"] == (True, False)
    assert shown["token"] == (True, False)
    assert shown["mapping"] == (False, True)
    assert shown["progress"][1]


def test_an_administrator_ticks_a_step_at_the_provider(acme: Enterprise, admin: Console) -> None:
    ticked = admin.follow(of(acme) + "/set-up/step", step="mapping", done="on")
    removed = admin.follow(of(acme) + "/set-up/step", step="mapping")

    assert steps(ticked)["mapping"] == (True, False)
    assert steps(ticked)["roles"] == (False, True)
    assert steps(removed)["mapping"] == (False, True)


def test_a_link_opens_its_step(acme: Enterprise, admin: Console) -> None:
    admin.post(of(acme) + "/set-up/step", step="mapping", done="on")

    assert steps(admin.get(of(acme) + "/set-up?step=mapping"))["mapping"] == (True, True)


def test_the_remedy_of_a_wrong_mapping_leads_to_its_step(acme: Enterprise, admin: Console) -> None:
    acme.send("POST", "/Users", user_body(None, emails=[]))

    assert 'set-up?step=mapping#mapping"' in admin.get(of(acme))


@pytest.mark.parametrize("step", ["", "token", "x" * 999])
def test_only_the_steps_at_the_provider_can_be_ticked(acme: Enterprise, admin: Console, step: str) -> None:
    page = admin.post(of(acme) + "/set-up/step", 400, step=step, done="on").text

    assert "does not exist" in text(page)


def test_auditors_see_the_ticks_and_cannot_change_them(acme: Enterprise, admin: Console) -> None:
    admin.post(of(acme) + "/set-up/step", step="people", done="on")
    auditor = Console(acme.app, make_admin(acme.app, "auditor@acme.example", "Acme", is_auditor=True))

    page = auditor.get(of(acme) + "/set-up")

    assert steps(page)["people"][0]
    assert "Mark as" not in page


def test_the_steps_link_to_entra_and_to_microsoft(acme: Enterprise, admin: Console) -> None:
    page = admin.get(of(acme) + "/set-up?provider=entra")

    for name in ("enterprise_applications", "app_registrations", "app_roles", "attributes", "assignment", "on_demand"):
        assert f'href="{LINKS[name]}"' in page
    assert (
        "microsoft.com"
        not in admin.get(of(acme) + "/set-up?provider=okta").partition("<main")[2].partition("</main>")[0]
    )
