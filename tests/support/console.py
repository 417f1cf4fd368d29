"""A user of the console with a browser that does not run scripts."""

import re
from html import unescape
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from scimsvc.enterprises.admins import Admin, create_admin
from scimsvc.enterprises.sessions import Client, begin_session
from tests.support.client import Enterprise

PASSWORD = "correct horse battery staple"
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


class Console:
    """A browser with cookies, signed in as ``admin`` if it is not None."""

    def __init__(self, app: Flask, admin: Admin | None = None, **environ: str) -> None:
        self.app = app
        self.admin = admin
        self.environ = environ
        self.browser = app.test_client()
        self._token = ""
        if admin is not None:
            with app.app_context(), self.browser.session_transaction("/console") as session:
                session.update(begin_session(admin, Client(environ.get("REMOTE_ADDR", "127.0.0.1"), "")))

    def send(self, method: str, path: str, **options: Any) -> TestResponse:
        """Send a request and remember the page's CSRF token."""
        answer = self.browser.open(path, method=method, environ_overrides=self.environ, buffered=True, **options)
        found = _TOKEN.search(answer.text) if answer.mimetype == "text/html" else None
        self._token = found[1] if found else self._token
        return answer

    def get(self, path: str, status: int = 200) -> str:
        """Return the page at ``path``."""
        answer = self.send("GET", path)
        assert answer.status_code == status, (path, answer.status_code, answer.text)
        return answer.text

    def post(self, path: str, /, status: int = 303, **fields: Any) -> TestResponse:
        """Send a form from the last page. Write a field name that has a dot with two underscores."""
        if not self._token:
            self.get("/console/account" if self.admin else "/console/sign-in")
        form = {name.replace("__", "."): value for name, value in fields.items()}
        answer = self.send("POST", path, data={"csrf_token": self._token} | form)
        assert answer.status_code == status, (path, answer.status_code, answer.text)
        return answer

    def follow(self, path: str, /, **fields: Any) -> str:
        """Send a form and return the page that follows."""
        return self.get(self.post(path, **fields).headers["Location"])


def sign_in(console: Console, email: str, password: str = PASSWORD, **options: Any) -> TestResponse:
    """Submit the sign-in form."""
    return console.post("/console/sign-in", email=email, password=password, **options)


def make_admin(app: Flask, email: str, enterprise: str | None = None, *, is_auditor: bool = False) -> Admin:
    """Create an account for an enterprise, by default for all of them."""
    with app.app_context():
        made = create_admin(email, enterprise=enterprise, is_auditor=is_auditor)
    return Admin(made["id"], email, _enterprise_id(app, enterprise), made["role"], 1)


def _enterprise_id(app: Flask, enterprise: str | None) -> str | None:
    from scimsvc.enterprises.enterprises import show_enterprise

    with app.app_context():
        return str(show_enterprise(enterprise)["id"]) if enterprise else None


def link_path(made: dict[str, Any]) -> str:
    """Return the path of the one-time link of a new account."""
    return str(made["link"]).removeprefix("http://127.0.0.1:8000")


def of(enterprise: Enterprise) -> str:
    """Return the path prefix of an enterprise's pages."""
    return f"/console/enterprises/{enterprise.made['id']}"


def errors(page: str) -> dict[str, list[str]]:
    """Return the message at each field of the page."""
    found: dict[str, list[str]] = {}
    for name, message in re.findall(r'<p class="error" id="([^"]+?)-error\d*">([^<]*)</p>', page):
        found.setdefault(name, []).append(unescape(message))
    return found


def typed(page: str, name: str) -> str:
    """Return the value of the field ``name`` of the page."""
    line = re.search(rf'<input [^>]*name="{re.escape(name)}"[^>]*?value="([^"]*)"', page, re.DOTALL)
    if line is not None:
        return unescape(line[1])
    area = re.search(rf'<textarea [^>]*name="{re.escape(name)}"[^>]*>\n?(.*?)</textarea>', page, re.DOTALL)
    assert area is not None, page
    return unescape(area[1])


def text(page: str) -> str:
    """Return the words of the page's main part."""
    main = page.partition("<main")[2].partition("</main>")[0]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", main.partition(">")[2])).split())


def user_names(page: str) -> list[str]:
    """Return the userNames that the list of users shows."""
    return [unescape(each) for each in re.findall(r'<a class="clip" href="[^"]+"><bdi title="[^"]*">([^<]*)<', page)]
