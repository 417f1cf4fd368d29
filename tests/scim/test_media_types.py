"""Answers are application/scim+json, or application/json if the client prefers it (RFC 7644 §3.8)."""

import pytest
from werkzeug.test import TestResponse

from scimsvc.protocol.media_types import JSON, SCIM_JSON, answer_type
from tests.support.client import Enterprise, patch_body, replace, user_body


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("application/json", JSON),
        ("APPLICATION/JSON; charset=utf-8", JSON),
        ("application/json;q=0.5", JSON),
        ("text/html, application/json", JSON),
        ("application/json, application/scim+json;q=0", JSON),
        ("application/json, application/scim+json;q=0.9", JSON),
        ("application/json, */*;q=0.8", JSON),
        ("application/json ; q=1 , application/*;q=0.1", JSON),
        ("", SCIM_JSON),
        ("*/*", SCIM_JSON),
        ("application/*", SCIM_JSON),
        ("application/scim+json", SCIM_JSON),
        ("application/scim+json, application/json", SCIM_JSON),
        ("application/json, application/scim+json", SCIM_JSON),
        ("application/json;q=0.8, application/scim+json;q=0.9", SCIM_JSON),
        ("application/json, text/plain, */*", SCIM_JSON),
        ("application/json;q=0", SCIM_JSON),
        ("application/json;q=0, */*", SCIM_JSON),
        ("application/json;q=2, */*", SCIM_JSON),
        ("text/html", SCIM_JSON),
        (",;q=,;", SCIM_JSON),
    ],
)
def test_the_preferred_type_is_the_one_with_the_highest_quality(accept: str, expected: str) -> None:
    assert answer_type(accept) == expected


def _type(answer: TestResponse, status: int) -> str | None:
    assert answer.status_code == status, answer.text
    return answer.headers.get("Content-Type")


@pytest.mark.parametrize(("accept", "expected"), [("application/json", JSON), ("*/*", SCIM_JSON), (None, SCIM_JSON)])
def test_every_answer_has_the_type_that_the_client_prefers(acme: Enterprise, accept: str | None, expected: str) -> None:
    headers = {"Accept": accept} if accept is not None else {}
    created = acme.send("POST", "/Users", user_body(), headers=headers)
    path = f"/Users/{created.get_json()['id']}"
    patch = patch_body(replace("title", "x"))

    types = [
        _type(created, 201),
        _type(acme.send("GET", path, headers=headers), 200),
        _type(acme.send("GET", "/Users", headers=headers), 200),
        _type(acme.send("PATCH", path, patch, headers=headers), 200),
        _type(acme.send("GET", "/Schemas", headers=headers), 200),
        _type(acme.send("GET", "/ServiceProviderConfig", headers=headers), 200),
        _type(acme.send("POST", "/Users", user_body(), headers=headers), 409),
        _type(acme.send("GET", "/Nothing", headers=headers), 404),
        _type(acme.send("PUT", "/Users", {}, headers=headers), 405),
        _type(acme.send("GET", "/Users", headers=headers, token="x"), 401),
    ]

    assert set(types) == {expected}
    assert acme.send("HEAD", path, headers=headers).headers["Content-Type"] == expected
    deleted = acme.send("DELETE", path, headers=headers)
    assert (deleted.status_code, deleted.headers.get("Content-Type")) == (204, None)
