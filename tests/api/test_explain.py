"""``/api/v1/explain`` shows the response to a request without applying it."""

from typing import Any

from tests.support.client import Api, Enterprise, user_body


def _with_role(email: str, role: str) -> dict[str, Any]:
    return user_body(email, roles=[role])


def test_explain_shows_the_effect_of_a_request_without_applying_it(acme: Enterprise, api: Api) -> None:
    request = {"method": "POST", "path": "/Users", "body": _with_role("new@contoso.example", "PowerSigner")}

    told = api.send("POST", "/explain", request)
    refused = api.send("POST", "/explain", request | {"body": _with_role("new@contoso.example", "Nobody's")})

    assert told.status_code == refused.status_code == 200
    assert (told.get_json()["outcome"], told.get_json()["role"]["name"]) == ("ok", "Power Signer")
    assert (refused.get_json()["outcome"], refused.get_json()["status"]) == ("refused", 400)
    assert api.get("/users")["items"] == []
    assert api.get("/provisioning-log")["items"] == []


def test_explain_of_an_unknown_path_is_a_refusal(api: Api) -> None:
    told = api.send("POST", "/explain", {"method": "GET", "path": "//[nowhere"}).get_json()

    assert (told["outcome"], told["status"]) == ("refused", 404)
