"""``/api/v1/explain``: what a request would be answered, and nothing is done."""

from typing import Any

from tests.support.client import Api, Enterprise, user_body


def _with_role(email: str, role: str) -> dict[str, Any]:
    return user_body(email, roles=[role])


def test_explain_tells_what_a_request_would_do_and_does_nothing(acme: Enterprise, api: Api) -> None:
    request = {"method": "POST", "path": "/Users", "body": _with_role("new@contoso.example", "PowerSigner")}

    told = api.send("POST", "/explain", request)
    refused = api.send("POST", "/explain", request | {"body": _with_role("new@contoso.example", "Nobody's")})

    assert told.status_code == refused.status_code == 200
    assert (told.get_json()["outcome"], told.get_json()["role"]["name"]) == ("ok", "Power Signer")
    assert (refused.get_json()["outcome"], refused.get_json()["status"]) == ("refused", 400)
    assert api.get("/users")["items"] == []
    assert api.get("/provisioning-log")["items"] == []


def test_explain_of_a_path_that_is_none_is_a_refusal(api: Api) -> None:
    told = api.send("POST", "/explain", {"method": "GET", "path": "//[nowhere"}).get_json()

    assert (told["outcome"], told["status"]) == ("refused", 404)
