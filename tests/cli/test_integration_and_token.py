"""``integration`` and ``token`` rotate secrets with and without overlap, and issue, list and revoke tokens."""

import getpass
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from scimsvc import clock
from scimsvc.auth.tokens import new_token_id
from scimsvc.settings.keys import key_id
from tests.support.apps import SECRET_KEY, make_enterprise
from tests.support.client import Enterprise
from tests.support.commands import misuse, refusal
from tests.support.types import Cli

FIRST = "Microsoft Entra ID"


class Clock:
    """The service's clock, set by the test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = datetime(2026, 2, 28, 12, 0, 0, 123456, tzinfo=UTC)
        monkeypatch.setattr(clock, "now", lambda: self.now)

    def text(self, **later: float) -> str:
        """Return the instant ``later`` as the service writes it."""
        return (self.now + timedelta(**later)).strftime("%Y-%m-%dT%H:%M:%S.") + f"{self.now.microsecond // 1000:03}Z"


@pytest.fixture
def frozen(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def fetch(app: Flask, client: dict[str, Any], secret: str | None = None) -> int:
    """Fetch an API token by client ID and secret, and return the status."""
    form = {"grant_type": "client_credentials", "client_id": client["client_id"]}
    form["client_secret"] = secret or client["client_secret"]
    return app.test_client().post("/api/authenticate", data=form).status_code


def test_a_new_integration_is_answered_with_its_secret_which_works(frozen: Clock, acme: Enterprise, cli: Cli) -> None:
    made = cli("integration", "create", "Acme", "Second")

    assert made == {
        "id": made["id"],
        "name": "Second",
        "client_id": made["client_id"],
        "scope": None,
        "provider": None,
        "created_at": frozen.text(),
        "last_used_at": None,
        "client_secret": made["client_secret"],
    }
    assert (fetch(acme.app, made), fetch(acme.app, made, made["client_secret"] + "x")) == (200, 401)
    assert fetch(acme.app, made, acme.made["client_secret"]) == 401


def test_the_list_never_shows_a_secret(acme: Enterprise, cli: Cli) -> None:
    made = cli("integration", "create", "Acme", "Second")
    del made["client_secret"]

    first, second = cli("integration", "list", "Acme")

    assert second == made
    assert (first["name"], first["client_id"]) == (FIRST, acme.made["client_id"])
    assert first.keys() == second.keys()


def test_the_last_integration_may_be_revoked_with_a_warning(acme: Enterprise, cli: Cli) -> None:
    cli("integration", "create", "Acme", "Second")

    first, last = (
        acme.app.test_cli_runner().invoke(args=["integration", "revoke", "Acme", name, "--json"])
        for name in (FIRST, "Second")
    )

    assert (first.exit_code, first.stderr) == (0, "")
    assert (last.exit_code, json.loads(last.stdout)["name"]) == (0, "Second")
    assert last.stderr.startswith("Warning: This was the last integration of Acme")
    assert cli("integration", "list", "Acme") == []


def test_renaming_an_integration_changes_only_its_name(acme: Enterprise, cli: Cli) -> None:
    (before,) = cli("integration", "list", "Acme")

    renamed = cli("integration", "rename", "Acme", FIRST, "Entra")

    assert cli("integration", "list", "Acme") == [renamed] == [before | {"name": "Entra"}]
    assert "name" in refusal(acme.app, "integration", "rename", "Acme", "Entra", " ")


@pytest.mark.parametrize("member", ["client_id", "id", "name"])
def test_a_rotated_secret_stops_at_once(acme: Enterprise, cli: Cli, member: str) -> None:
    (before,) = cli("integration", "list", "Acme")

    rotated = cli("integration", "rotate", "Acme", before[member])

    assert rotated == before | {"client_secret": rotated["client_secret"]}
    assert (fetch(acme.app, rotated), fetch(acme.app, acme.made)) == (200, 401)
    assert acme.find("id pr") == []  # its tokens stay valid


def test_the_old_secret_is_valid_until_the_end_of_the_overlap(frozen: Clock, acme: Enterprise, cli: Cli) -> None:
    rotated = cli("integration", "rotate", "Acme", FIRST, "--overlap=1.5")

    assert (fetch(acme.app, rotated), fetch(acme.app, acme.made)) == (200, 200)
    frozen.now += timedelta(hours=1.5, seconds=-1)
    assert (fetch(acme.app, rotated), fetch(acme.app, acme.made)) == (200, 200)
    frozen.now += timedelta(seconds=2)
    assert (fetch(acme.app, rotated), fetch(acme.app, acme.made)) == (200, 401)


def test_a_later_rotation_shortens_an_overlap_and_never_lengthens_it(frozen: Clock, acme: Enterprise, cli: Cli) -> None:
    second = cli("integration", "rotate", "Acme", FIRST, "--overlap=1")
    third = cli("integration", "rotate", "Acme", FIRST, "--overlap=10")
    frozen.now += timedelta(hours=2)
    between = [fetch(acme.app, acme.made, each["client_secret"]) for each in (acme.made, second, third)]

    fourth = cli("integration", "rotate", "Acme", FIRST)

    assert between == [401, 200, 200]
    assert [fetch(acme.app, acme.made, each["client_secret"]) for each in (second, third, fourth)] == [401, 401, 200]


@pytest.mark.parametrize("hours", ["-1", "x", "nan", "inf", "9000", ""])
def test_an_invalid_overlap_is_wrong_usage(acme: Enterprise, hours: str) -> None:
    assert "overlap" in misuse(acme.app, "integration", "rotate", "Acme", FIRST, f"--overlap={hours}")

    assert fetch(acme.app, acme.made) == 200


def test_a_revoked_integration_is_gone_with_its_tokens_and_no_other(acme: Enterprise, cli: Cli) -> None:
    second = cli("integration", "create", "Acme", "Second")
    token = cli("token", "issue", "Acme", "--integration", second["client_id"])["access_token"]
    answer = acme.send("GET", "/Users", token=token)
    before, _ = cli("integration", "list", "Acme")

    revoked = cli("integration", "revoke", "Acme", second["client_id"])

    assert answer.status_code == 200
    assert (revoked["id"], revoked["name"]) == (second["id"], "Second")
    assert cli("integration", "list", "Acme") == [before]
    assert (fetch(acme.app, second), fetch(acme.app, acme.made)) == (401, 200)
    assert acme.send("GET", "/Users", token=token).status_code == 401
    assert acme.send("GET", "/Users").status_code == 200
    for words in (("integration", "rotate", "Acme"), ("integration", "revoke", "Acme")):
        assert second["client_id"] in refusal(acme.app, *words, second["client_id"])
    assert second["client_id"] in refusal(acme.app, "token", "issue", "Acme", "--integration", second["client_id"])


def test_without_any_integration_no_token_is_issued(acme: Enterprise, cli: Cli) -> None:
    cli("integration", "revoke", "Acme", FIRST)

    assert "integration create" in refusal(acme.app, "token", "issue", "Acme")


def test_integrations_and_tokens_of_another_enterprise_are_out_of_reach(acme: Enterprise, cli: Cli) -> None:
    other = make_enterprise(acme.app, "Other")
    (token,) = cli("token", "list", "Other")

    for words in (
        ("integration", "rotate", "Acme", other.made["client_id"]),
        ("integration", "revoke", "Acme", other.made["client_id"]),
        ("token", "issue", "Acme", "--integration", other.made["client_id"]),
        ("token", "revoke", "Acme", token["id"]),
        ("token", "revoke", "Acme", other.token),
    ):
        refusal(acme.app, *words)

    assert fetch(acme.app, other.made) == 200
    assert other.find("id pr") == []


def test_an_issued_token_is_answered_with_the_members_of_the_contract(acme: Enterprise, cli: Cli) -> None:
    assert set(cli("token", "issue", "Acme")) == {
        "access_token", "expires_in", "expires_at", "scope", "id", "name",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("options", "scope", "lifetime"),
    [
        pytest.param([], "scim", timedelta(days=7), id="SCIM unless told otherwise"),
        pytest.param(["--scim"], "scim", timedelta(days=7), id="SCIM"),
        pytest.param(["--api"], "api", timedelta(hours=6), id="API"),
        pytest.param(["--days=30"], "scim", timedelta(days=30), id="SCIM for thirty days"),
        pytest.param(["--api", "--days=1"], "api", timedelta(days=1), id="API for a day"),
    ],
)
def test_a_token_is_issued_once_and_listed_without_itself(
    frozen: Clock, acme: Enterprise, cli: Cli, options: list[str], scope: str, lifetime: timedelta
) -> None:
    cli("token", "revoke", "Acme", acme.token)
    issued = cli("token", "issue", "Acme", *options)

    assert (issued["expires_in"], issued["scope"]) == (lifetime.total_seconds(), scope)
    answer = acme.send("GET", "/Users", token=issued["access_token"])
    answer.close()  # the last use is written after the response
    assert answer.status_code == (200 if scope == "scim" else 403)
    (listed,) = [token for token in cli("token", "list", "Acme") if token["id"] == issued["id"]]
    assert listed == {
        "id": issued["id"],
        "enterprise": "Acme",
        "name": None,
        "scope": scope,
        "client_id": acme.made["client_id"] if scope == "scim" else listed["client_id"],
        "created_by": f"command {getpass.getuser()}",
        "issued_at": "2026-02-28T12:00:00.000Z",
        "expires_at": f"{frozen.now + lifetime:%Y-%m-%dT%H:%M:%S}.000Z",
        "days_left": round(lifetime / timedelta(days=1), 1),
        "last_used_at": frozen.text() if scope == "scim" else None,
        "revoked_at": None,
        "key_id": key_id(SECRET_KEY),
        "verifiable": True,
    }


@pytest.mark.parametrize("days", ["0", "-1", "1.5", "x", "3651", "9" * 40])
def test_an_invalid_number_of_days_is_wrong_usage(acme: Enterprise, cli: Cli, days: str) -> None:
    assert "--days" in misuse(acme.app, "token", "issue", "Acme", f"--days={days}")

    assert len(cli("token", "list", "Acme")) == 1


def test_a_token_belongs_by_default_to_the_first_integration(acme: Enterprise, cli: Cli) -> None:
    second = cli("integration", "create", "Acme", "Aaa")

    ids = [cli("token", "issue", "Acme", *words)["id"] for words in ([], ["--integration", second["client_id"]])]

    clients = {token["id"]: token["client_id"] for token in cli("token", "list", "Acme")}
    assert [clients[each] for each in ids] == [acme.made["client_id"], second["client_id"]]


def test_no_scim_token_while_provisioning_is_off(app: Flask, cli: Cli) -> None:
    cli("enterprise", "create", "Acme")

    assert "Acme" in refusal(app, "token", "issue", "Acme")
    assert cli("token", "issue", "Acme", "--api")["scope"] == "api"


def test_the_list_shows_the_last_use_the_days_left_and_the_expiry(frozen: Clock, acme: Enterprise, cli: Cli) -> None:
    cli("token", "revoke", acme.token)
    used, unused = (cli("token", "issue", "Acme", f"--days={days}") for days in (3, 1))
    frozen.now += timedelta(hours=12)

    acme.send("GET", "/Users", token=used["access_token"]).close()
    integrations = cli("integration", "list", "Acme")
    at_noon = {token["id"]: (token["last_used_at"], token["days_left"]) for token in cli("token", "list", "Acme")}
    frozen.now += timedelta(days=1)
    at_the_end = {token["id"]: (token["last_used_at"], token["days_left"]) for token in cli("token", "list", "Acme")}

    used_at = frozen.text(days=-1)
    assert (at_noon[used["id"]], at_noon[unused["id"]]) == ((used_at, 2.5), (None, 0.5))
    assert (at_the_end[used["id"]], at_the_end[unused["id"]]) == ((used_at, 1.5), (None, 0))
    assert [integration["last_used_at"] for integration in integrations] == [used_at]


def test_tokens_of_all_enterprises_are_listed_the_oldest_first(acme: Enterprise, cli: Cli) -> None:
    make_enterprise(acme.app, "Other")
    cli("token", "issue", "Acme", "--api")

    listed = cli("token", "list")

    assert sorted(token["enterprise"] for token in listed) == ["Acme", "Acme", "Other"]
    assert [token["issued_at"] for token in listed] == sorted(token["issued_at"] for token in listed)
    assert cli("token", "list", "Acme") == [token for token in listed if token["enterprise"] == "Acme"]


@pytest.mark.parametrize("by", ["id", "access_token"])
@pytest.mark.parametrize("where", [["Acme"], []], ids=["in its enterprise", "anywhere"])
def test_a_revoked_token_ends_at_once_and_no_other(
    frozen: Clock, acme: Enterprise, cli: Cli, by: str, where: list[str]
) -> None:
    issued = cli("token", "issue", "Acme")

    revoked = cli("token", "revoke", *where, issued[by])
    frozen.now += timedelta(minutes=1)

    assert (revoked["id"], revoked["revoked_at"]) == (issued["id"], frozen.text(minutes=-1))
    assert acme.send("GET", "/Users", token=issued["access_token"]).status_code == 401
    assert acme.send("GET", "/Users").status_code == 200
    assert cli("token", "revoke", *where, issued[by]) == revoked
    assert {token["id"]: token["revoked_at"] for token in cli("token", "list")}[issued["id"]] == revoked["revoked_at"]


@pytest.mark.parametrize("words", [[], ["-"], ["Acme", "-"]], ids=["no argument", "a dash", "after its enterprise"])
@pytest.mark.parametrize("by", ["id", "access_token"])
def test_a_token_is_revoked_from_standard_input(acme: Enterprise, cli: Cli, words: list[str], by: str) -> None:
    issued = cli("token", "issue", "Acme")

    result = acme.app.test_cli_runner().invoke(args=["token", "revoke", *words, "--json"], input=f" {issued[by]}\n")

    assert (result.exit_code, result.stderr, json.loads(result.stdout)["id"]) == (0, "", issued["id"])
    assert acme.send("GET", "/Users", token=issued["access_token"]).status_code == 401


def test_a_token_as_an_argument_is_revoked_with_a_warning(acme: Enterprise, cli: Cli) -> None:
    issued = cli("token", "issue", "Acme")

    result = acme.app.test_cli_runner().invoke(args=["token", "revoke", issued["access_token"]])
    by_id = acme.app.test_cli_runner().invoke(args=["token", "revoke", issued["id"]])

    assert (result.exit_code, by_id.exit_code, by_id.stderr) == (0, 0, "")
    assert result.stderr.startswith("Warning: All users of this machine can read a token in the arguments. Pass its ID")
    assert issued["access_token"] not in result.output


@pytest.mark.parametrize(
    ("content", "words"), [(b"", "is empty"), (b"\n", "is empty"), (b"\xff\n", "is not UTF-8")], ids=ascii
)
def test_standard_input_without_a_token_is_refused(acme: Enterprise, content: bytes, words: str) -> None:
    result = acme.app.test_cli_runner().invoke(args=["token", "revoke"], input=content)

    assert (result.exit_code, result.stdout) == (2, "")
    assert f"Standard input {words}" in result.stderr


def test_a_token_id_never_looks_like_an_option() -> None:
    assert [token_id for token_id in (new_token_id() for _ in range(2000)) if token_id.startswith("-")] == []


def test_a_text_that_is_not_a_token_cannot_be_revoked(acme: Enterprise) -> None:
    assert "token list" in refusal(acme.app, "token", "revoke", "nothing")
    assert "token list" in refusal(acme.app, "token", "revoke", acme.token[:-1])
