"""The first minute: the path ``/``, a one-time link that has ended, the sign-in page, and an empty enterprise."""

import pytest
from flask import Flask

from tests.support.apps import run_command
from tests.support.client import Enterprise
from tests.support.console import PASSWORD, Console, link_path, of, text

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


def test_the_root_leads_a_browser_to_the_console(app: Flask) -> None:
    answer = app.test_client().get("/", headers={"Accept": BROWSER})

    assert (answer.status_code, answer.headers["Location"], answer.headers["Vary"]) == (302, "/console", "Accept")


@pytest.mark.parametrize("accept", ["", "*/*", "application/json", "application/scim+json"])
def test_other_clients_get_the_paths_that_exist(app: Flask, accept: str) -> None:
    answer = app.test_client().get("/", headers={"Accept": accept})

    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")
    assert "The console is at /console, SCIM at /api/scim/v2" in answer.get_json()["detail"]


def test_a_link_that_has_ended_says_so_and_how_to_go_on(app: Flask) -> None:
    path = link_path(run_command(app, "admin", "create", "op@x.example", "--operator"))
    stranger = Console(app)
    stranger.get(path)
    stranger.post(path, password=PASSWORD, repeated=PASSWORD)

    for page in (Console(app).get(path, 404), Console(app).get("/console/password/scimsvc_link_x", 404)):
        assert "This link has ended" in page
        assert "was used, has expired, or was replaced" in text(page)
        assert 'href="/console/sign-in"' in page
    again = Console(app)
    again.get("/console/sign-in")
    assert "This link has ended" in again.post(path, 404, password=PASSWORD, repeated=PASSWORD).text


def test_the_sign_in_page_says_where_one_is_and_can_show_the_password(app: Flask) -> None:
    page = Console(app).get("/console/sign-in")

    assert "scimsvc creates, updates and disables the users of your application" in text(page)
    assert 'data-reveal="password" aria-pressed="false" hidden>Show' in page


def test_an_enterprise_without_requests_invites_to_connect_the_provider(admin: Console, acme: Enterprise) -> None:
    page = admin.get(of(acme))
    assert "Connect Entra No users yet." in text(page)
    assert f'class="button primary" href="{of(acme)}/set-up"' in page

    acme.create()

    assert "No users yet." not in text(admin.get(of(acme)))
