"""Every page: its structure, its access control, and its escaping of stored text."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from flask import Flask
from markupsafe import escape

from tests.support.apps import make_enterprise, run_command
from tests.support.client import Enterprise, replace, user_body
from tests.support.console import Console, of, text
from tests.support.long_runs import LONG
from tests.support.pages import NOBODY, console_rules, ids_of, pages_of, path_of
from tests.support.types import Cli

HOSTILE = [
    pytest.param("<script>alert(1)</script>", id="script"),
    pytest.param('"><img src=x onerror=alert(1)>', id="attribute"),
    pytest.param("</textarea></title>{{ 7*7 }}{% raw %}", id="template"),
    pytest.param("مدير التوقيع", id="right to left"),
    pytest.param("\N{GRINNING FACE}" * 200, id="200 emoji"),
    pytest.param("W" * 200, id="200 letters"),
    pytest.param("O'Neill & Söhne \\ 50%", id="marks"),
]


#: Values in place of an enterprise's ID. One function of all pages reads it, so each page gets one of them.
NO_ENTERPRISES = (NOBODY, "Other", "x'", "%00", "a" * 3000)


class Outline(HTMLParser):
    """Checks that a page's elements are closed in order, and collects forbidden markup."""

    VOID = frozenset({"meta", "link", "input", "br", "hr", "img", "rect", "path", "circle", "line", "col", "wbr"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.faults: list[str] = []
        self.ids: list[str] = []
        self.feed(page)
        self.faults += [f"{tag} is not closed" for tag in self.open]

    def handle_starttag(self, tag: str, attributes: Any) -> None:
        for name, value in attributes:
            if name == "style" or name.startswith("on"):
                self.faults.append(f"{tag} has {name}")
            if name == "id":
                self.ids.append(value)
        if tag == "script" and not dict(attributes).get("src"):
            self.faults.append("a script stands in the page")
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: Any) -> None:
        self.handle_starttag(tag, attributes)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag in self.VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"{tag} is closed out of order")


@pytest.fixture
def filled(acme: Enterprise) -> Enterprise:
    """An enterprise with a user, a refusal and a limit on removals."""
    user = acme.create(roles=[{"value": "User", "primary": True}])
    acme.patch(user, replace("title", "Clerk"))
    acme.send("POST", "/Users", user_body("b@contoso.example", roles=[{"value": "Signer", "primary": True}]))
    run_command(acme.app, "enterprise", "update", "Acme", "--removal-percent", "10")
    return acme


@pytest.mark.both_databases
@pytest.mark.requirement("R53")
def test_every_page_is_whole_and_has_its_headers(filled: Enterprise, operator: Console) -> None:
    for path in pages_of(filled, operator):
        answer = operator.send("GET", path)
        where = path, answer.status_code
        assert answer.status_code in (200, 302, 303), where
        if answer.status_code == 200 and answer.mimetype == "text/html":
            outline = Outline(answer.text)
            assert outline.faults == [], where
            assert len(outline.ids) == len(set(outline.ids)), where
            assert answer.text.count("<h1") <= 1, where
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy, where
        assert "unsafe" not in policy, where
        assert "frame-ancestors 'none'" in policy, where
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_pages_and_forms_require_signing_in(acme: Enterprise, method: str) -> None:
    stranger = Console(acme.app)
    stranger.get("/console/sign-in")

    for rule in console_rules(acme.app, method):
        answer = stranger.send(
            method,
            path_of(rule, enterprise_id=acme.made["id"]),
            data={"csrf_token": stranger._token} if method == "POST" else None,
        )
        assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (302, "/console/sign-in"), rule


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_another_enterprise_s_pages_do_not_exist(acme: Enterprise, admin: Console, method: str) -> None:
    other = make_enterprise(acme.app, "Other")
    other.create()
    admin.get("/console/account")
    rules = [rule for rule in console_rules(acme.app, method) if "enterprise_id" in rule.arguments]
    assert rules
    theirs = ids_of(other)

    for number, rule in enumerate(rules):
        form = {"data": {"csrf_token": admin._token}} if method == "POST" else {}
        missing = NO_ENTERPRISES if LONG else [NO_ENTERPRISES[number % len(NO_ENTERPRISES)]]
        answers = [
            admin.send(method, path_of(rule, enterprise_id=enterprise, **theirs), **form)
            for enterprise in (other.made["id"], *missing)
        ]
        assert {answer.status_code for answer in answers} == {404}, rule
        said = {
            re.sub(r'name="csrf_token" value="[^"]+"|Other|\bx\b|' + "a" * 3000, "", text(answer.text))
            for answer in answers
        }
        assert said == {"Page not found This page does not exist, or you do not have access to it. Go to start page"}, (
            rule
        )


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_another_enterprise_s_objects_do_not_exist_below_the_own_path(
    acme: Enterprise, admin: Console, method: str
) -> None:
    other = make_enterprise(acme.app, "Other")
    other.create()
    admin.get("/console/account")
    theirs = ids_of(other)

    for rule in console_rules(acme.app, method):
        if not rule.arguments & theirs.keys():
            continue
        form = {"data": {"csrf_token": admin._token}} if method == "POST" else {}
        answer = admin.send(method, path_of(rule, enterprise_id=acme.made["id"], **theirs), **form)
        assert answer.status_code == 404, rule


def test_the_operator_s_pages_do_not_exist_for_an_enterprise_s_administrator(
    acme: Enterprise, admin: Console, cli: Cli
) -> None:
    for path in ("/console/enterprises/new", of(acme) + "/delete"):
        admin.get(path, 404)
        admin.post(path, 404, name="New", typed_name="Acme")

    assert [each["name"] for each in cli("enterprise", "list")] == ["Acme"]
    assert admin.send("GET", "/console").headers["Location"].startswith(of(acme))
    assert "All enterprises" not in admin.get(of(acme) + "/set-up")


@pytest.mark.requirement("R52")
@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_is_shown_as_it_is_and_breaks_nothing(app: Flask, operator: Console, cli: Cli, name: str) -> None:
    made = cli(
        "enterprise", "create", name, "--enable-scim", "--role", name + "!" if len(name) < 200 else name[:-1] + "!"
    )
    role = cli("role", "list", name)[0]["id"]
    cli("integration", "create", name, name)
    path = f"/console/enterprises/{made['id']}"

    for page in (
        "/console",
        *(path + end for end in ("/set-up", "/roles", f"/roles/{role}", "/integrations", "/settings", "/delete")),
    ):
        shown = operator.get(page)
        assert Outline(shown).faults == [], page
        assert "<script>alert" not in shown
        assert "<img src=x" not in shown

        assert str(escape(name)) in shown, page


def test_errors_are_pages_here_and_json_elsewhere(app: Flask, operator: Console) -> None:
    missing = operator.send("GET", "/console/nowhere")
    wrong_method = operator.send("DELETE", "/console")
    elsewhere = operator.send("GET", "/nowhere")
    large = operator.send("POST", "/console/sign-in", data={"email": "x" * 2**20})

    assert (missing.status_code, missing.mimetype) == (404, "text/html")
    assert (
        text(missing.text)
        == "Page not found This page does not exist, or you do not have access to it. Go to start page"
    )
    assert (wrong_method.status_code, wrong_method.mimetype) == (405, "text/html")
    assert wrong_method.headers["Allow"]
    assert (elsewhere.status_code, elsewhere.mimetype) == (404, "application/problem+json")
    assert (large.status_code, large.mimetype) == (413, "text/html")
    assert all(
        "default-src 'none'" in each.headers["Content-Security-Policy"] for each in (missing, wrong_method, large)
    )


def test_an_internal_error_shows_only_the_request_id(
    app: Flask, operator: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError("secret thing")

    monkeypatch.setattr("scimsvc.console.views.enterprises.list_enterprise_states", fail)
    answer = operator.send("GET", "/console")

    assert (answer.status_code, answer.mimetype) == (500, "text/html")
    assert answer.headers["X-Request-ID"] in answer.text
    assert "secret thing" not in answer.text


def test_style_and_script_are_served(app: Flask) -> None:
    page = Console(app).get("/console/sign-in")

    for path in re.findall(r'(?:href|src)="(/console/static/[^"]+)"', page):
        with app.test_client().get(path) as answer:
            assert answer.status_code == 200


def test_links_and_forms_lead_to_existing_pages(filled: Enterprise, operator: Console) -> None:
    adapter = filled.app.url_map.bind("localhost")
    for path in pages_of(filled, operator):
        page = operator.send("GET", path)
        if page.mimetype != "text/html":
            continue
        for link in re.findall(r'href="(/[^"#?]*)', page.text):
            assert adapter.test(link, "GET"), (path, link)
        for method, action in re.findall(r'<form method="(\w+)" action="(/[^"#?]*)', page.text):
            assert adapter.test(action, method.upper()), (path, action)
