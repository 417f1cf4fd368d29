"""The parts around the pages: navigation, breadcrumbs, colors, footer and help."""

import re

import pytest
from flask import Flask

import scimsvc
from tests.support.client import Enterprise
from tests.support.console import Console, make_admin, of, text


def links(page: str, label: str) -> list[str]:
    """Return the labels of the links in the navigation with this label."""
    found = re.search(rf'<nav [^>]*aria-label="{label}">(.*?)</nav>', page, re.DOTALL)
    return re.findall(r"<a [^>]*>([^<]+)</a>", found[1]) if found else []


@pytest.mark.parametrize(
    ("path", "above"),
    [
        pytest.param("/users", [], id="a section"),
        pytest.param("/users/new", ["Users"], id="a form of a section"),
        pytest.param("/tokens/new", ["Integrations &amp; tokens"], id="a section with several blueprints"),
    ],
)
def test_a_page_below_a_section_has_a_link_to_it(acme: Enterprise, admin: Console, path: str, above: list[str]) -> None:
    assert links(admin.get(of(acme) + path), "Breadcrumb") == above


def test_a_page_of_the_account_has_a_link_to_the_account(admin: Console) -> None:
    assert links(admin.get("/console/account/second-factor/set-up"), "Breadcrumb") == ["Your account"]


def test_accounts_that_see_everything_have_the_pages_of_the_service(operator: Console, admin: Console) -> None:
    assert links(operator.get("/console"), "Service") == [
        "Enterprises",
        "Accounts",
        "Sessions",
        "Audit log",
        "Health",
        "Self-test",
        "Settings",
    ]
    assert links(admin.get("/console/account"), "Service") == []


def test_sections_have_headings_that_name_their_lists(acme: Enterprise, operator: Console) -> None:
    pattern = r'<p class="section-heading" id="(sections-\d)">([^<]+)</p>\s*<ul aria-labelledby="\1">'

    of_service, of_enterprise = (re.findall(pattern, operator.get(path)) for path in ("/console", of(acme)))

    assert [heading for _, heading in of_service] == ["Access", "Operation"]
    assert [heading for _, heading in of_enterprise] == ["Directory", "Provisioning", "Access", "Administration"]


def test_the_version_is_shown_only_to_people_who_are_signed_in(app: Flask, operator: Console) -> None:
    version = f"scimsvc {scimsvc.__version__}"

    assert version in operator.get("/console")
    assert version not in Console(app).get("/console/sign-in")


def test_help_is_for_every_account_and_links_only_to_microsoft(acme: Enterprise) -> None:
    auditor = Console(acme.app, make_admin(acme.app, "auditor@acme.example", "Acme", is_auditor=True))

    page = auditor.get("/console/help")

    hosts = set(re.findall(r'href="(https://[^/"]+)', page))
    assert hosts == {"https://entra.microsoft.com", "https://learn.microsoft.com"}
    assert "Why is a person missing?" in text(page)


@pytest.mark.parametrize(
    ("chosen", "shown"),
    [
        pytest.param("dark", "dark", id="dark"),
        pytest.param("light", "light", id="light"),
        pytest.param("system", "system", id="back to the system"),
        pytest.param('"><script>', "system", id="not a choice"),
    ],
)
def test_the_colors_are_remembered_in_the_browser(admin: Console, chosen: str, shown: str) -> None:
    admin.post("/console/account/theme", theme="dark")

    answer = admin.post("/console/account/theme", theme=chosen)

    assert f'<html lang="en" data-theme="{shown}">' in admin.get("/console/account")
    assert answer.headers["Location"].startswith("/console")
    cookie = next(line for line in answer.headers.getlist("Set-Cookie") if "theme" in line)
    assert "HttpOnly" in cookie
    assert "Path=/console" in cookie


def test_a_choice_of_colors_returns_to_the_page_and_to_no_other_site(acme: Enterprise, admin: Console) -> None:
    admin.get("/console/account")

    def choose(referrer: str) -> str:
        form = {"csrf_token": admin._token, "theme": "dark"}
        answer = admin.send("POST", "/console/account/theme", data=form, headers={"Referer": referrer})
        return answer.headers["Location"]

    assert choose(f"http://localhost{of(acme)}/users?role=User") == f"{of(acme)}/users?role=User"
    assert choose("https://evil.example/console/enterprises") == "/console/account"


def test_a_cookie_of_colors_that_no_one_chose_is_not_repeated(admin: Console) -> None:
    admin.browser.set_cookie("scimsvc_console_theme", '"><script>alert(1)</script>', path="/console")

    assert 'data-theme="system"' in admin.get("/console/account")


def test_the_summary_of_errors_has_the_labels_of_the_fields(acme: Enterprise, admin: Console) -> None:
    limit = {"removal_limit__users": "-1", "removal_limit__hours": "x"}
    page = admin.post(of(acme) + "/settings/removal-limit", 400, form="limit", **limit).text

    summary = re.findall(r'<li><a href="#([^"]+)">([^<]+)</a>: ([^<]+)</li>', page)
    assert ("removal_limit.users", "At most (users)", "Enter a whole number from 0 to 10,000,000.") in [
        (field, label, message if message.endswith(".") else message + ".") for field, label, message in summary
    ]
