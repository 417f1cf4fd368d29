"""A client in the same process that uses the service like Entra."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from flask import Flask
from werkzeug.test import TestResponse

from scimsvc.protocol.attributes import Attribute, AttributePath
from tests.support.urns import ENTERPRISE_URN, ERROR_URN, PATCH_URN, USER_URN

SCIM = "/api/scim/v2"
MEDIA_TYPE = "application/scim+json"

CONTENT_TYPE = "application/scim+json; charset=utf-8"


class Enterprise:
    """An enterprise, the response to its creation, and one of its SCIM tokens."""

    def __init__(self, app: Flask, made: dict[str, Any], token: str) -> None:
        self.app = app
        self.made = made
        self.token = token
        self.name: str = made["name"]

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        token: str | None = None,
    ) -> TestResponse:
        """Send a request below the Tenant URL. A ``body`` of bytes or text is sent unchanged."""
        sent = {"Authorization": f"Bearer {token or self.token}"}
        if body is not None:
            sent["Content-Type"] = CONTENT_TYPE
        content = body if isinstance(body, bytes | str | None) else json.dumps(body)
        return self.app.test_client().open(
            SCIM + path,
            method=method,
            data=content,
            query_string=urlencode(query) if query else None,
            headers=sent | (headers or {}),
        )

    def create(self, **attributes: Any) -> dict[str, Any]:
        """Create a user, by default with a name and a work address, and return it."""
        answer = self.send("POST", "/Users", user_body(**attributes))
        assert answer.status_code == 201, answer.text
        return dict(answer.get_json())

    def get(self, user: dict[str, Any]) -> dict[str, Any]:
        """Return the current representation of the user."""
        answer = self.send("GET", f"/Users/{user['id']}")
        assert answer.status_code == 200, answer.text
        return dict(answer.get_json())

    def patch(self, user: dict[str, Any], *operations: dict[str, Any], **options: Any) -> TestResponse:
        """Send a PATCH of ``operations``."""
        return self.send("PATCH", f"/Users/{user['id']}", patch_body(*operations), **options)

    def find(self, filter_: str, **query: str) -> list[dict[str, Any]]:
        """Return the users that a filter finds."""
        answer = self.send("GET", "/Users", query={"filter": filter_, **query})
        assert answer.status_code == 200, answer.text
        return list(answer.get_json()["Resources"])


def user_body(email: Any = "test.user@contoso.example", **attributes: Any) -> dict[str, Any]:
    """Return the body of a POST or PUT, without attributes that are None."""
    body = {
        "schemas": [USER_URN, ENTERPRISE_URN],
        "userName": "Test User",
        "emails": [{"type": "work", "primary": True, "value": email}],
    } | attributes
    return {name: value for name, value in body.items() if value is not None}


def replace(path: str | None, value: Any) -> dict[str, Any]:
    """Return a replace operation."""
    return {"op": "replace", "path": path, "value": value}


def patch_body(*operations: Any) -> dict[str, Any]:
    """Return the body of a PATCH."""
    return {"schemas": [PATCH_URN], "Operations": list(operations)}


def assert_scim_error(answer: TestResponse, status: int, scim_type: str | None, *words: str) -> None:
    """Assert that ``answer`` is a well-formed SCIM error whose detail contains all ``words``."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == MEDIA_TYPE
    body = answer.get_json(force=True)
    assert body["schemas"] == [ERROR_URN]
    assert body["status"] == str(status)
    assert body.get("scimType") == scim_type
    assert set(body) <= {"schemas", "status", "scimType", "detail"}
    for word in words:
        assert word in body["detail"], body["detail"]


def walk(attributes: tuple[Attribute, ...]) -> Iterator[AttributePath]:
    """Yield the path of every attribute and sub-attribute."""
    for attribute in attributes:
        yield AttributePath((attribute,))
        for below in walk(attribute.sub_attributes):
            yield AttributePath((attribute, *below.steps))


class Api:
    """A client of the enterprise API, like the host application."""

    def __init__(self, enterprise: Enterprise, token: str) -> None:
        self.enterprise = enterprise
        self.token = token

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> TestResponse:
        """Send a request below ``/api/v1``. A ``body`` of bytes or text is sent unchanged."""
        sent = {"Authorization": f"Bearer {self.token}"}
        if body is not None:
            sent["Content-Type"] = "application/json"
        content = body if isinstance(body, bytes | str | None) else json.dumps(body)
        return self.enterprise.app.test_client().open(
            "/api/v1" + path, method=method, data=content, query_string=query, headers=sent | (headers or {})
        )

    def get(self, path: str, **query: Any) -> Any:
        """Return the JSON of a successful GET."""
        answer = self.send("GET", path, query=query)
        assert answer.status_code == 200, answer.text
        return answer.get_json()

    def pages(self, path: str, **query: Any) -> list[dict[str, Any]]:
        """Return all members of a list, read page by page."""
        members, cursor = [], None
        while True:
            page = self.get(path, **query, **({"cursor": cursor} if cursor else {}))
            members += page["items"]
            cursor = page["next"]
            if cursor is None:
                return members


def assert_problem(answer: TestResponse, status: int, *words: str, fields: set[str] | None = None) -> None:
    """Assert that ``answer`` is well-formed problem details whose detail contains all ``words``."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    body = answer.get_json(force=True)
    assert set(body) == {"type", "status", "title", "detail"} | ({"errors"} if "errors" in body else set())
    assert body["status"] == status
    for word in words:
        assert word in body["detail"], body["detail"]
    if fields is not None:
        assert {each["field"] for each in body["errors"]} == fields
