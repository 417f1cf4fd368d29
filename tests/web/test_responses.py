"""Security headers of every response, and the response to an unexpected exception."""

import re
from typing import Any

import pytest

from scimsvc.scim import users
from tests.support.apps import make_api
from tests.support.client import Enterprise, assert_scim_error


@pytest.mark.requirement("R53")
def test_outside_the_console_responses_have_no_cookies_and_no_cors(acme: Enterprise) -> None:
    tokens = {"/api/scim/v2": acme.token, "/api/v1": make_api(acme).token}
    asked = set()
    for rule in acme.app.url_map.iter_rules():
        if rule.rule.startswith("/console"):
            continue
        token = next((token for prefix, token in tokens.items() if rule.rule.startswith(prefix)), "")
        path = re.sub(r"<[^>]+>", "x", rule.rule)
        headers = {"Authorization": f"Bearer {token}", "Origin": "https://evil.example", "Accept": "text/html"}
        for method in ("GET", "OPTIONS"):
            answer = acme.app.test_client().open(path, method=method, headers=headers)
            is_redirect = path == "/" and answer.status_code == 302  # leads a browser to the console
            assert is_redirect or "html" not in answer.headers.get("Content-Type", ""), path
            assert not {"Set-Cookie", "Access-Control-Allow-Origin"} & set(answer.headers.keys()), path
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            asked.add(path)

    assert len(asked) > 20


@pytest.mark.requirement("R54")
def test_an_internal_error_shows_only_the_request_id(
    acme: Enterprise, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    user = acme.create()

    def fail(*given: Any) -> None:
        raise RuntimeError("SELECT secret FROM nowhere")

    monkeypatch.setattr(users, "get_user", fail)

    answer = acme.send("GET", f"/Users/{user['id']}", headers={"X-Request-ID": "abc-123"})

    assert_scim_error(answer, 500, None, "abc-123")
    for word in ("nowhere", "SELECT", "RuntimeError", "scimsvc/", "Python", "sqlalchemy", "Traceback"):
        assert word not in answer.text
    assert answer.headers.get("Server") is None
    assert [record.getMessage() for record in caplog.records].count("internal error (request abc-123)") == 1
