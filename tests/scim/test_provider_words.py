"""Errors speak of Entra only to clients that may be Entra; others get neutral advice.

``test_payloads`` checks the payloads of other providers.
"""

import ast
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

import scimsvc
from scimsvc import clock
from scimsvc.vocabulary import PROVIDERS
from tests.support.client import Enterprise, user_body
from tests.support.types import Cli

OKTA_AGENT = "Okta SCIM Client 1.0.0"


def refusals(acme: Enterprise, send: Callable[..., TestResponse]) -> Iterator[TestResponse]:
    """Yield an answer for each refusal whose advice depends on the client."""
    yield send("GET", "/Users/614c7d30-a065-4a60-ad59-0e2349aa1fba")
    yield send("POST", "/Users", user_body(userName=None))
    yield send("POST", "/Users", user_body(emails=None))
    yield send("POST", "/Users", user_body())
    yield send("POST", "/Users", user_body("b@x.example", roles=[{"value": "Nobody"}]))
    yield send("POST", "/Users", user_body("b@x.example", roles=[{"value": "User"}, {"value": "Power Signer"}]))
    yield send("POST", "/Users", user_body("b@x.example", roles=[{"value": '{"id": "1"}'}]))
    yield send("POST", "/Users", user_body("b@x.example", photos=[{"value": f"{n}{'x' * 900}"} for n in range(300)]))
    yield send("POST", "/Bulk", bulk(user_body(emails=None)))
    acme.app.test_cli_runner().invoke(args=["enterprise", "pause", acme.name], catch_exceptions=False)
    yield send("POST", "/Users", user_body("b@x.example"))
    acme.app.test_cli_runner().invoke(args=["enterprise", "resume", acme.name], catch_exceptions=False)
    limit = ["enterprise", "update", acme.name, "--removal-limit", "0"]
    acme.app.test_cli_runner().invoke(args=limit, catch_exceptions=False)
    yield send("DELETE", f"/Users/{acme.find('active eq true')[0]['id']}")


def bulk(user: dict[str, Any]) -> dict[str, Any]:
    return {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [{"method": "POST", "path": "/Users", "bulkId": "a", "data": user}],
    }


@pytest.mark.parametrize(
    ("named", "agent", "speaks_of_entra"),
    [
        ("entra", "", True),
        ("entra", OKTA_AGENT, True),
        ("unknown", "", True),
        ("unknown", "Werkzeug/3.1", True),
        ("unknown", "Azure-Provisioning/2", True),
        ("unknown", OKTA_AGENT, False),
        ("okta", "", False),
        ("other", "Azure-Provisioning/2", False),
    ],
)
def test_the_integration_or_else_the_user_agent_decides_about_the_words(
    acme: Enterprise, cli: Cli, named: str, agent: str, speaks_of_entra: bool
) -> None:
    cli("integration", "set-provider", "Acme", acme.made["client_id"], named)
    acme.create()

    answers = list(refusals(acme, lambda *words: acme.send(*words, headers={"User-Agent": agent})))

    assert [answer.status_code for answer in answers] == [404, 400, 400, 409, 400, 400, 400, 400, 200, 503, 503]
    assert ["Entra" in answer.text for answer in answers] == [speaks_of_entra] * len(answers)
    logged = [entry["detail"] for entry in cli("log", "Acme") if entry["status"] == 400]
    assert logged
    assert ["Entra" in detail for detail in logged] == [speaks_of_entra] * len(logged)


@pytest.mark.parametrize("agent", [
    "Okta SCIM Client 1.0.0", "OneLogin SCIM", "application/json", "goauthentik.io/2025.10", "authentik@2025.10.1", "keycloak-scim/1.0", "PingFederate/12.1",
    "PingOne", "JumpCloud-SCIM", "SailPoint IdentityNow", "Google-Provisioning",
])  # fmt: skip
def test_providers_are_recognized_by_their_user_agent(acme: Enterprise, agent: str) -> None:
    answer = acme.send("POST", "/Users", user_body(emails=None), headers={"User-Agent": agent})

    assert "In the identity provider, map the e-mail address" in answer.get_json()["detail"]


@pytest.mark.parametrize(("named", "speaks_of_entra"), [("okta", False), ("unknown", True)])
def test_an_expired_token_is_explained_in_the_words_for_its_integration(
    acme: Enterprise, cli: Cli, named: str, speaks_of_entra: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli("integration", "set-provider", "Acme", acme.made["client_id"], named)
    later = clock.now() + timedelta(days=30)
    monkeypatch.setattr(clock, "now", lambda: later)

    answer = acme.send("GET", "/Users")

    assert answer.status_code == 401
    assert ("Entra" in answer.text, "Entra" in answer.headers["WWW-Authenticate"]) == (speaks_of_entra,) * 2


#: Packages whose texts are answered to SCIM clients.
PACKAGES = ("protocol", "scim", "mapping", "auth", "enterprises", "web", "store")
#: Texts that no client sees: the mapping that the console shows, and the names of integrations and patterns.
NOT_ANSWERED = ("mapping/entra.py", "auth/clients.py", "web/providers.py")


def sources() -> list[Path]:
    package = Path(scimsvc.__file__).parent
    files = (path for name in PACKAGES for path in (package / name).rglob("*.py"))
    return sorted(path for path in files if not str(path).endswith(NOT_ANSWERED))


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.stem)
def test_only_the_advice_for_entra_names_entra(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    allowed = {
        id(node)
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "Advice"
        for node in ast.walk(call.args[0])
    }
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    named = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "Entra" in node.value
        and id(node) not in allowed | docstrings
    ]  # fmt: skip

    assert named == []


def test_an_integration_names_its_provider(acme: Enterprise, cli: Cli) -> None:
    created = cli("integration", "create", "Acme", "Okta", "--scope", "scim", "--provider", "okta")
    shown = {each["name"]: each["provider"] for each in cli("integration", "list", "Acme")}

    assert created["provider"] == "okta"
    assert shown == {"Microsoft Entra ID": None, "Okta": "okta"}
    for provider in PROVIDERS:
        assert cli("integration", "set-provider", "Acme", "Okta", provider)["provider"] == provider
    assert cli("integration", "set-provider", "Acme", "Okta", "unknown")["provider"] is None
