"""The scopes of the token endpoint, and the limits of integrations (contract section 4)."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scimsvc.auth.errors import InvalidScope
from scimsvc.auth.scopes import allows, choose_scope, read_scopes
from scimsvc.vocabulary import SCOPES
from tests.support.apps import run_command
from tests.support.client import Enterprise
from tests.support.commands import refusal
from tests.support.types import Cli


def create(acme: Enterprise, limit: str | None) -> dict[str, Any]:
    options = ("--scope", limit) if limit else ()
    return dict(run_command(acme.app, "integration", "create", "Acme", f"Limited to {limit}", *options))


def ask(acme: Enterprise, client: dict[str, Any], scope: str | None, query: str = "", **headers: str) -> Any:
    form = {"grant_type": "client_credentials"} | {name: client[name] for name in ("client_id", "client_secret")}
    sent = form | ({"scope": scope} if scope is not None else {})
    return acme.app.test_client().post(f"/api/authenticate{query}", data=sent, headers=headers)


def granted(answer: Any) -> str:
    """Return the scope of the token, or the error."""
    body = answer.get_json()
    return str(body.get("scope") or body["error"])


REFUSED = "invalid_scope"


@pytest.mark.parametrize(
    ("limit", "grants"),
    [
        (None, {"": "api", "scim": "scim", "api": "api", "api.users": "api.users", "api.read": "api.read"}),
        ("scim", {"": "scim", "scim": "scim", "api": REFUSED, "api.users": REFUSED, "api.read": REFUSED}),
        ("api", {"": "api", "scim": REFUSED, "api": "api", "api.users": "api.users", "api.read": "api.read"}),
        ("api.users", {"": "api.users", "scim": REFUSED, "api": REFUSED, "api.users": "api.users", "api.read": REFUSED}),
        ("api.read", {"": "api.read", "scim": REFUSED, "api": REFUSED, "api.users": REFUSED, "api.read": "api.read"}),
    ],
)  # fmt: skip
def test_an_integration_gets_no_token_beyond_its_limit(
    acme: Enterprise, limit: str | None, grants: dict[str, str]
) -> None:
    client = create(acme, limit)

    for scope, expected in grants.items():
        assert granted(ask(acme, client, scope)) == expected, scope
        assert granted(ask(acme, client, None, f"?scope={scope}")) == expected, scope
    assert granted(ask(acme, client, "api", **{"X-SCIM": "true"})) == ("scim" if limit in (None, "scim") else REFUSED)


def test_the_refusal_of_a_wider_scope_says_what_the_limit_is(acme: Enterprise) -> None:
    answer = ask(acme, create(acme, "scim"), "api")

    wide = ask(acme, create(acme, "api"), "scim")
    assert (answer.status_code, wide.status_code) == (400, 400)
    assert answer.get_json()["error_description"] == (
        "This integration is limited to the scope scim. Request scope=scim, leave the scope out, or use an integration "
        "that allows the other scope."
    )
    assert "Request scope=api or scope=api.users or scope=api.read, leave" in wide.get_json()["error_description"]


@pytest.mark.parametrize(
    ("limit", "requested", "expected"),
    [
        (None, "api.read api.users scim", "scim"),
        (None, "api.users api api.read", "api"),
        (None, "openid  api.read\tprofile", "api.read"),
        ("scim", "api scim", "scim"),
        ("api", "scim api.read", "api.read"),
        ("api.users", "scim api", REFUSED),
        ("scim", "api://9184e267/.default", "scim"),
        (None, "https://scim.example.com/.default", "api"),
        (None, "https://scim.example.com/.default scim", "scim"),
        (None, "/.default", "api"),
        (None, "SCIM", REFUSED),
        (None, "api.", REFUSED),
        (None, "scim,api", "scim"),
        ("api.users", "openid, api.users,profile", "api.users"),
        ("scim", " ,, ", "scim"),
        (None, ",", "api"),
        ("scim", "api://9184e267/.default,openid", REFUSED),
        (None, "scim;api", REFUSED),
        (None, "\u00e9\U0001f600", REFUSED),
        (None, "x" * 100_000, REFUSED),
    ],
)
def test_of_several_scopes_one_that_is_known_and_allowed_counts(
    acme: Enterprise, limit: str | None, requested: str, expected: str
) -> None:
    assert granted(ask(acme, create(acme, limit), requested)) == expected


def test_the_scope_of_the_form_wins_over_the_scope_in_the_url(acme: Enterprise) -> None:
    client = create(acme, None)

    assert granted(ask(acme, client, "api.read", "?scope=scim")) == "api.read"
    assert granted(ask(acme, client, "", "?scope=scim")) == "scim"
    assert granted(ask(acme, client, "https://scim.example.com/.default", "?scope=scim")) == "scim"
    assert granted(ask(acme, client, "openid", "?scope=scim")) == REFUSED
    assert granted(ask(acme, client, None, "?scope=api.users&scope=api.read")) == "api.users"
    assert granted(ask(acme, client, None, "?scope=scim%2Copenid")) == "scim"
    assert granted(ask(acme, client, None, "?scope=scim+openid")) == "scim"
    assert granted(ask(acme, client, None, "?scope=")) == "api"


@given(text=st.text(st.sampled_from("scimapi.,/ \t\n+%\x00\u00e9")) | st.text(), limit=st.sampled_from([None, *SCOPES]))
def test_any_text_gives_a_scope_within_the_limit_or_is_refused(text: str, limit: str | None) -> None:
    scopes = read_scopes(text)

    assert all(scope in text and not scope.endswith("/.default") for scope in scopes)
    try:
        chosen = choose_scope(scopes, limit)
    except InvalidScope:
        chosen = None
    expected = [scope for scope in SCOPES if scope in scopes and allows(limit, scope)] if scopes else [limit or "api"]
    assert chosen == (expected[0] if expected else None)


@given(
    known=st.lists(st.sampled_from(SCOPES), min_size=1),
    others=st.lists(st.sampled_from(["openid", "offline_access", "api://x/.default", "SCIM", "scims"])),
    separators=st.text(" ,\t", min_size=1, max_size=3),
    order=st.randoms(),
)
def test_unknown_scopes_of_a_list_change_nothing(
    known: list[str], others: list[str], separators: str, order: random.Random
) -> None:
    words = known + others
    order.shuffle(words)

    scopes = read_scopes(separators.join(words))

    assert choose_scope(scopes, None) == next(scope for scope in SCOPES if scope in known)


def test_the_first_integration_is_for_entra_and_gets_scim_tokens_without_a_scope(acme: Enterprise, cli: Cli) -> None:
    (first,) = cli("integration", "list", "Acme")
    answer = ask(acme, acme.made, None)

    assert (first["name"], first["scope"]) == ("Microsoft Entra ID", "scim")
    assert acme.send("GET", "/Users", token=answer.get_json()["access_token"]).status_code == 200


def test_an_integration_for_the_application_is_created_when_asked_for(acme: Enterprise, cli: Cli) -> None:
    created = cli("enterprise", "create", "Contoso", "--host-application")

    assert granted(ask(acme, created["host_application"], None)) == "api.users"
    assert {each["name"]: each["scope"] for each in cli("integration", "list", "Contoso")} == {
        "Microsoft Entra ID": "scim",
        "Host application": "api.users",
    }


# Narrowing.


@pytest.mark.parametrize("old", [None, *SCOPES])
@pytest.mark.parametrize("new", SCOPES)
def test_a_limit_can_only_be_narrowed(acme: Enterprise, cli: Cli, old: str | None, new: str) -> None:
    client = create(acme, old)
    words = ("integration", "limit", "Acme", client["client_id"], new)

    if old in (None, new) or (old == "api" and new.startswith("api")):
        assert cli(*words)["scope"] == new
        assert granted(ask(acme, client, None)) == new
    else:
        assert "can only be narrowed" in refusal(acme.app, *words)
        assert granted(ask(acme, client, None)) == old


def test_limiting_an_integration_revokes_its_wider_tokens_and_no_other(acme: Enterprise, cli: Cli) -> None:
    other = cli("token", "issue", "Acme", "--scope", "api")
    client = create(acme, None)
    tokens = {
        scope: cli("token", "issue", "Acme", "--scope", scope, "--integration", client["client_id"])["id"]
        for scope in SCOPES
    }

    cli("integration", "limit", "Acme", client["client_id"], "api")

    revoked = {token["id"] for token in cli("token", "list", "Acme") if token["revoked_at"] is not None}
    assert revoked == {tokens["scim"]}
    cli("integration", "limit", "Acme", client["client_id"], "api.users")
    revoked = {token["id"] for token in cli("token", "list", "Acme") if token["revoked_at"] is not None}
    assert revoked == {tokens["scim"], tokens["api"], tokens["api.read"]}
    assert other["id"] not in revoked


def test_the_list_points_out_integrations_without_a_limit(acme: Enterprise, cli: Cli) -> None:
    def listed() -> str:
        return str(acme.app.test_cli_runner().invoke(args=["integration", "list", "Acme"]).stdout)

    assert "Unlimited" not in listed()
    create(acme, None)

    assert "Unlimited: Limited to None. Limit an integration" in listed()
    assert [each["scope"] for each in cli("integration", "list", "Acme")] == ["scim", None]
