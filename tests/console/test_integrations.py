"""The pages of integrations and tokens: created, renamed, rotated, listed and revoked."""

import re
from datetime import timedelta
from html import unescape

import pytest

from scimsvc import clock
from scimsvc.auth import grants
from scimsvc.auth.state import token_signer
from tests.support.apps import run_command
from tests.support.client import Enterprise
from tests.support.console import Console, errors, make_admin, of, text
from tests.support.types import Cli, MakeApp


def test_days_left_turn_amber_at_fourteen_and_red_at_three(
    acme: Enterprise, admin: Console, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    for token in cli("token", "list", "Acme"):
        cli("token", "revoke", token["id"])
    cli("token", "issue", "Acme", "--days", "30")
    start = clock.now()
    page = of(acme) + "/integrations"

    def tone(days: float) -> str:
        monkeypatch.setattr(clock, "now", lambda: start + timedelta(days=30 - days))
        monkeypatch.setattr("scimsvc.store.sessions.IDLE", timedelta(days=99))
        monkeypatch.setattr("scimsvc.store.sessions.LONGEST_SESSION", timedelta(days=99))
        [(tone, words)] = re.findall(r'<span class="badge (\w+)">([^<]*left)</span>', admin.get(page))
        return f"{tone}: {words}"

    assert [tone(days) for days in (14.9, 13.9, 3.9, 3, 1, 0.5)] == [
        *("good: 14 days left", "warn: 13 days left", "warn: 3 days left", "bad: 3 days left", "bad: 1 day left"),
        "bad: less than a day left",
    ]


def test_a_rotated_secret_is_shown_once_and_the_old_one_stays_valid(acme: Enterprise, admin: Console) -> None:
    integration = ids_of_integration(acme)
    path = f"{of(acme)}/integrations/{integration}/rotate"

    page = admin.follow(path, overlap_hours="1")
    [secret] = re.findall(r'value="(scimsvc_cs_[^"]+)"', page)

    def status(client_secret: str) -> int:
        form = {"grant_type": "client_credentials", "client_id": acme.made["client_id"], "client_secret": client_secret}
        return acme.app.test_client().post("/api/authenticate", data=form).status_code

    assert (status(secret), status(acme.made["client_secret"])) == (200, 200)
    assert secret not in admin.get(of(acme) + "/integrations")


def ids_of_integration(enterprise: Enterprise) -> str:
    return str(run_command(enterprise.app, "integration", "list", enterprise.name)[0]["id"])


def test_a_token_is_rotated_with_no_gap(acme: Enterprise, admin: Console, cli: Cli) -> None:
    [old] = [each["id"] for each in cli("token", "list", "Acme")]

    issued = admin.follow(of(acme) + "/tokens/new", scope="scim", days="90")
    [token] = re.findall(r'value="(scimsvc_[^"]+)"', issued)
    both = [acme.send("GET", "/Users", token=each).status_code for each in (acme.token, token)]
    question = admin.get(f"{of(acme)}/tokens/{old}/revoke")
    admin.follow(f"{of(acme)}/tokens/{old}/revoke")
    after = [acme.send("GET", "/Users", token=each).status_code for each in (acme.token, token)]

    assert "http://localhost/api/scim/v2" in issued
    assert "provisioning stops until you enter another token there" in text(question)
    assert (both, after) == ([200, 200], [401, 200])


def test_deleting_the_last_integration_shows_a_warning(acme: Enterprise, admin: Console) -> None:
    path = f"{of(acme)}/integrations/{ids_of_integration(acme)}/revoke"

    assert "all its tokens stop working immediately" in text(admin.get(path))
    page = admin.follow(path)

    assert "It was the last integration" in text(page)
    assert "No integrations yet" in text(page)
    assert acme.send("GET", "/Users").status_code == 401


def test_every_token_is_listed_page_by_page(acme: Enterprise, admin: Console) -> None:
    with acme.app.app_context():
        for _ in range(100):
            grants.issue_described_token(acme.made["id"], {"scope": "api"}, signer=token_signer.current)
    first = admin.get(of(acme) + "/tokens")
    [following] = map(unescape, re.findall(r'href="([^"]+)">Next page', first))
    second = admin.get(following)

    assert [page.count('<th scope="row"') for page in (first, second)] == [100, 1]
    assert (first + second).count("API token (application)") == 100
    assert "Bad Request The cursor was not issued" in text(admin.get(of(acme) + "/tokens?cursor=x", 400))


def test_an_integration_is_made_renamed_and_ended(acme: Enterprise, admin: Console, cli: Cli) -> None:
    path = of(acme) + "/integrations"
    made = admin.follow(path + "/new", name="Host application")
    new = next(each["id"] for each in cli("integration", "list", "Acme") if each["name"] == "Host application")
    renamed = admin.follow(f"{path}/{new}/rename", name="The application")
    ended = admin.follow(f"{path}/{new}/revoke")

    assert "Integration Host application created" in text(made)
    assert re.search(r'value="scimsvc_cs_[^"]+"', made)
    assert "Integration renamed to The application." in text(renamed)
    assert "Integration The application deleted, and its tokens revoked." in text(ended)
    assert [each["name"] for each in cli("integration", "list", "Acme")] == ["Microsoft Entra ID"]


def test_an_integration_without_a_limit_is_pointed_out_and_can_be_limited(acme: Enterprise, cli: Cli) -> None:
    console = Console(acme.app, make_admin(acme.app, "op@x.example"))
    client = cli("integration", "create", "Acme", "Old one")
    api = cli("token", "issue", "Acme", "--api", "--integration", client["client_id"], "--name", "Nightly job")
    limit = f"{of(acme)}/integrations/{client['id']}/limit"

    pointed_out = text(console.get(f"{of(acme)}/integrations"))
    asked = text(console.get(limit))
    done = text(console.follow(limit, scope="scim"))

    assert "Old one is unlimited." in pointed_out
    assert "Nightly job" in asked
    assert "Integration Old one limited to scim." in done
    assert "Old one is unlimited." not in done
    assert "No narrower scope exists" in text(console.get(limit))
    (revoked,) = [each["id"] for each in cli("token", "list", "Acme") if each["revoked_at"] is not None]
    assert revoked == api["id"]


def test_a_new_integration_has_the_chosen_scope(acme: Enterprise, cli: Cli) -> None:
    console = Console(acme.app, make_admin(acme.app, "op@x.example"))
    form = console.get(f"{of(acme)}/integrations/new")

    console.post(f"{of(acme)}/integrations/new", name="Mine", scope="api.read")
    refused = console.post(f"{of(acme)}/integrations/new", 400, name="Other", scope="all")

    assert '<option value="api.users" selected>' in form
    assert [(each["name"], each["scope"]) for each in cli("integration", "list", "Acme")][1:] == [("Mine", "api.read")]
    assert "scope" in errors(refused.text)


def test_a_new_enterprise_has_an_integration_for_the_application_if_asked(acme: Enterprise, cli: Cli) -> None:
    console = Console(acme.app, make_admin(acme.app, "op@x.example"))

    made = console.follow("/console/enterprises/new", name="Contoso", host_application="on")

    assert made.count("scimsvc_cs_") == 2
    assert {each["scope"] for each in cli("integration", "list", "Contoso")} == {"scim", "api.users"}


def test_connecting_entra_creates_its_integration_if_there_is_none(acme: Enterprise, cli: Cli) -> None:
    console = Console(acme.app, make_admin(acme.app, "op@x.example"))
    cli("integration", "revoke", "Acme", "Microsoft Entra ID")

    page = console.follow(f"{of(acme)}/set-up", days="7")

    assert "scimsvc_" in page
    assert "Create an integration for your application" in page
    assert [each["scope"] for each in cli("integration", "list", "Acme")] == ["scim"]


def test_a_token_whose_key_is_missing_is_marked(acme: Enterprise, make_app: MakeApp) -> None:
    run_command(make_app(SECRET_KEY="another key that is of no use elsewhere 0123456789"), "token", "issue", "Acme")
    console = Console(acme.app, make_admin(acme.app, "op@x.example"))

    assert "unknown key" in text(console.get(f"{of(acme)}/tokens"))


def test_a_token_is_replaced_by_an_equal_one(acme: Enterprise, admin: Console, cli: Cli) -> None:
    old = cli("token", "issue", "Acme", "--days", "30", "--name", "Entra")
    path = f"{of(acme)}/tokens/{old['id']}/rotate"

    asked = text(admin.get(path))
    shown = admin.follow(path, overlap_hours="2")
    refused = admin.post(path, 400, overlap_hours="x").text

    tokens = {each["id"]: each for each in cli("token", "list", "Acme")}
    (new,) = [each for each in tokens.values() if each["name"] == "Entra" and each["id"] != old["id"]]
    value = re.findall(r'value="(scimsvc_[^"]+)"', shown)[0]
    assert "Entra" in asked
    assert "Waiting for the first use of the new token" in text(shown)
    assert (new["days_left"], new["created_by"]) == (30, tokens[new["id"]]["created_by"])
    assert tokens[old["id"]]["days_left"] == pytest.approx(0.1)
    assert "overlap_hours" in errors(refused)
    for token in (old["access_token"], value):
        assert acme.send("GET", "/Users", token=token).status_code == 200


def test_the_token_that_the_provider_uses_is_marked(acme: Enterprise, admin: Console, cli: Cli) -> None:
    spare = cli("token", "issue", "Acme", "--name", "Spare")
    acme.send("GET", "/Users").close()

    rows = re.findall(r"<tr>\s*<th scope=.row[^>]*>(.*?)</tr>", admin.get(of(acme) + "/integrations"), re.DOTALL)

    marked = ["in use by Entra" in row for row in rows if "/tokens/" in row]
    assert sorted(marked) == [False, True]
    assert any(f"<code>{spare['id'][:8]}</code>" in row for row in rows)
