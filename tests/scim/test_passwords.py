"""Passwords are accepted from the provider, but never stored, returned or searched."""

import pytest

from tests.support.client import Enterprise, assert_scim_error, replace, user_body
from tests.support.urns import SEARCH_URN, USER_URN


@pytest.mark.requirement("P13")
def test_a_password_is_never_returned(acme: Enterprise) -> None:
    secret = "t0p-Secret"
    query = {"attributes": "password,title"}
    created = acme.send("POST", "/Users", user_body(password=secret, title="x"), query=query)
    user = {"id": created.get_json()["id"]}
    path = f"/Users/{user['id']}"

    answers = [
        created,
        acme.send("PUT", path, user_body(password=secret, title="y"), query=query),
        acme.patch(user, replace("password", secret), {"op": "add", "value": {"password": secret}}, query=query),
        acme.send("GET", path, query=query),
        acme.send("GET", path),
        acme.send("GET", "/Users", query=query),
        acme.send("GET", "/Users", query={"excludedAttributes": "title"}),
        acme.send("POST", "/.search", {"schemas": [SEARCH_URN], "attributes": ["password"]}),
    ]

    assert [answer.status_code for answer in answers] == [201, *[200] * 7]
    for answer in answers:
        assert "password" not in answer.text
        assert secret not in answer.text


@pytest.mark.requirement("P14")
def test_a_password_cannot_be_probed(acme: Enterprise) -> None:
    acme.create(password="t0p-Secret")
    filters = [
        "password pr",
        "PASSWORD pr",
        "not (password pr)",
        'password eq "t0p-Secret"',
        'password sw "t"',
        f'{USER_URN}:password co "Secret"',
        'userName pr or password eq "x"',
    ]

    for text in filters:
        assert_scim_error(acme.send("GET", "/Users", query={"filter": text}), 400, "invalidFilter", "password")
        search = {"schemas": [SEARCH_URN], "filter": text}
        assert_scim_error(acme.send("POST", "/Users/.search", search), 400, "invalidFilter", "password")
    for name in ("password", "Password", f"{USER_URN}:password"):
        assert_scim_error(acme.send("GET", "/Users", query={"sortBy": name}), 400, "invalidValue", "sortBy")
