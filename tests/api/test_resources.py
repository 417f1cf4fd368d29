"""The life cycle of each resource of the enterprise API (contract section 8)."""

from typing import Any

from tests.support.apps import make_api
from tests.support.client import Api, Enterprise, assert_problem, user_body
from tests.support.types import Cli, MakeApp

HAND = {"email": "by.hand@contoso.example", "user_name": "By Hand"}


def test_the_enterprise_is_shown_and_changed(acme: Enterprise, api: Api) -> None:
    assert api.get("/enterprise") == {
        "id": acme.made["id"],
        "name": "Acme",
        "scim_enabled": True,
        "default_role": "DefaultEnterprise",
        "unique_user_name": False,
        "unique_group_name": True,
        "reject_unknown_attributes": False,
        "several_roles": "refuse",
        "removal_limit": None,
        "alert_refusals": 10,
        "paused": False,
    }

    changes = {"default_role": "powersigner", "removal_limit": {"percent": 10}, "paused": True}
    changed = api.send("PATCH", "/enterprise", changes).get_json()

    assert changed["default_role"] == "Power Signer"
    assert changed["removal_limit"] == {"users": None, "percent": 10, "hours": 24}
    assert changed["paused"] is True
    assert api.get("/enterprise") == changed
    assert api.send("PATCH", "/enterprise", {"removal_limit": None}).get_json()["removal_limit"] is None


def test_a_role_s_life(acme: Enterprise, api: Api) -> None:
    given = {"name": "Signer", "aliases": ["SignerAlias"], "restrict_editing": True}
    made = api.send("POST", "/roles", given)
    role = made.get_json()
    path = f"/roles/{role['id']}"

    assert made.status_code == 201
    assert made.headers["Location"] == f"http://localhost/api/v1{path}"
    assert role == {"id": role["id"], **given, "groups": [], "position": 5, "is_default": False, "users": 0}
    assert api.get(path) == role

    user = acme.create(roles=["SignerAlias"])
    changed = api.send("PATCH", path, {"name": "Countersigner", "aliases": ["Second"]}).get_json()

    assert (changed["name"], changed["aliases"], changed["users"]) == ("Countersigner", ["Second"], 1)
    assert api.get(f"/users/{user['id']}")["role"] == "Countersigner"
    assert_problem(api.send("DELETE", path), 409, "1 user has the role 'Countersigner'")

    assert acme.send("DELETE", f"/Users/{user['id']}").status_code == 204
    removed = api.send("DELETE", path)

    assert (removed.status_code, removed.data) == (204, b"")
    assert_problem(api.send("GET", path), 404)


def test_another_role_becomes_the_default_in_one_request(acme: Enterprise, api: Api) -> None:
    role = next(each for each in api.get("/roles")["items"] if each["name"] == "User")

    changed = api.send("PATCH", f"/roles/{role['id']}", {"is_default": True}).get_json()

    assert changed["is_default"] is True
    assert [each["name"] for each in api.get("/roles")["items"] if each["is_default"]] == ["User"]
    assert api.get("/enterprise")["default_role"] == "User"
    assert_problem(api.send("DELETE", f"/roles/{role['id']}"), 409, "default role")


def test_a_role_is_previewed(acme: Enterprise, api: Api) -> None:
    refused = acme.send("POST", "/Users", _with_role("waiting@contoso.example", "Witness"))
    acme.create(email="on.default@contoso.example")

    preview = api.get("/role-preview", name="witness")

    assert refused.status_code == 400
    assert (preview["role"], preview["users"], preview["on_default"]) == (None, 0, 1)
    assert [each["email"] for each in preview["waiting"]] == ["waiting@contoso.example"]
    assert api.get("/role-preview", name="powersigner")["role"] == "Power Signer"


def _with_role(email: str, role: str) -> dict[str, Any]:
    return user_body(email, roles=[role])


def test_an_integration_s_life(acme: Enterprise, api: Api) -> None:
    made = api.send("POST", "/integrations", {"name": "Host application"})
    integration = made.get_json()
    path = f"/integrations/{integration['id']}"
    shown = {name: value for name, value in integration.items() if name != "client_secret"}

    assert made.status_code == 201
    assert made.headers["Location"] == f"http://localhost/api/v1{path}"
    assert api.get(path) == shown
    assert list(shown) == ["id", "name", "client_id", "scope", "provider", "created_at", "last_used_at"]
    assert _fetch_token(acme, integration["client_id"], integration["client_secret"]) == 200

    renamed = api.send("PATCH", path, {"name": "Host"}).get_json()
    rotated = api.send("POST", f"{path}/rotate", {"overlap_hours": 1.5})
    again = rotated.get_json()["client_secret"]

    assert renamed["name"] == "Host"
    assert rotated.status_code == 200
    assert _fetch_token(acme, integration["client_id"], integration["client_secret"]) == 200  # during the overlap
    assert _fetch_token(acme, integration["client_id"], again) == 200

    last = api.send("POST", f"{path}/rotate").get_json()["client_secret"]

    assert _fetch_token(acme, integration["client_id"], again) == 401
    assert _fetch_token(acme, integration["client_id"], last) == 200

    revoked = api.send("DELETE", path)

    assert revoked.status_code == 200
    assert revoked.get_json()["warning"] is None
    assert_problem(api.send("GET", path), 404)
    assert _fetch_token(acme, integration["client_id"], last) == 401


def _fetch_token(acme: Enterprise, client_id: str, secret: str) -> int:
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    return acme.app.test_client().post("/api/authenticate", data=form).status_code


def test_the_last_integration_is_revoked_with_a_warning(acme: Enterprise, api: Api) -> None:
    others, own = api.get("/integrations")["items"]
    assert api.send("DELETE", f"/integrations/{others['id']}").get_json()["warning"] is None

    revoked = api.send("DELETE", f"/integrations/{own['id']}")

    assert revoked.status_code == 200
    assert "last integration of Acme" in revoked.get_json()["warning"]
    assert_problem(api.send("GET", "/enterprise"), 401, "revoked")
    assert acme.send("GET", "/Users").status_code == 401


def test_a_token_s_life(acme: Enterprise, api: Api) -> None:
    _, own = api.get("/integrations")["items"]
    issued = api.send("POST", "/tokens", {"scope": "api", "days": 2})
    token = issued.get_json()
    path = f"/tokens/{token['id']}"

    assert issued.status_code == 201
    assert issued.headers["Location"] == f"http://localhost/api/v1{path}"
    assert set(token) == {"access_token", "expires_in", "scope", "id", "name", "expires_at"}
    assert (token["scope"], token["expires_in"]) == ("api", 2 * 24 * 3600)

    shown = api.get(path)
    other = Api(acme, token["access_token"])

    assert set(shown) == {
        "id", "name", "scope", "client_id", "created_by", "issued_at", "expires_at", "days_left", "last_used_at",
        "revoked_at", "key_id", "verifiable",
    }  # fmt: skip
    assert (shown["client_id"], shown["revoked_at"]) == (own["client_id"], None)
    assert shown["created_by"] == f"api {own['name']}"
    assert token["access_token"] not in str(api.get("/tokens"))
    assert other.get("/enterprise")["name"] == "Acme"

    revoked = api.send("DELETE", path)

    assert (revoked.status_code, revoked.data) == (204, b"")
    assert api.send("DELETE", path).status_code == 204  # it stays revoked
    assert api.get(path)["revoked_at"] is not None
    assert_problem(other.send("GET", "/enterprise"), 401, "revoked")


def test_a_token_is_by_default_a_scim_token_of_the_first_integration(acme: Enterprise, api: Api, cli: Cli) -> None:
    second = api.send("POST", "/integrations", {"name": "Second"}).get_json()

    plain = api.send("POST", "/tokens").get_json()
    named = api.send("POST", "/tokens", {"client_id": second["client_id"]}).get_json()
    cli("enterprise", "update", "Acme", "--no-enable-scim")
    off = api.send("POST", "/tokens", {})

    assert (plain["scope"], plain["expires_in"]) == ("scim", 7 * 24 * 3600)
    assert acme.send("GET", "/Users", token=plain["access_token"]).status_code == 403  # SCIM is disabled now
    clients = {each["id"]: each["client_id"] for each in api.get("/tokens")["items"]}
    assert (clients[plain["id"]], clients[named["id"]]) == (acme.made["client_id"], second["client_id"])
    assert_problem(off, 409, "SCIM provisioning is disabled for Acme")


def test_a_manual_user_s_life(acme: Enterprise, api: Api) -> None:
    given = HAND | {"given_name": "By", "family_name": "Hand", "phone": "+1 2", "title": "Boss", "organization": "Own",
                    "external_id": "e-1"}  # fmt: skip
    made = api.send("POST", "/users", given | {"role": "powersigner"})
    user = made.get_json()
    path = f"/users/{user['id']}"

    assert made.status_code == 201
    assert made.headers["Location"] == f"http://localhost/api/v1{path}"
    assert user == {
        "id": user["id"],
        **given,
        "directory": None,
        "role": "Power Signer",
        "role_source": "sent",
        "active": True,
        "source": "manual",
        "created_at": user["created_at"],
        "modified_at": user["created_at"],
        "version": 1,
        "groups": [],
        "custom": {},
        "confirmed_at": None,
    }
    assert api.get(path) == user

    changed = api.send("PATCH", path, {"phone": None, "role": None, "active": False, "title": "Chair"}).get_json()

    kept = {name: user[name] for name in ("id", "email", "organization", "created_at")}
    assert changed == changed | kept
    assert (changed["phone"], changed["role"], changed["active"]) == (None, "DefaultEnterprise", False)
    assert (changed["title"], changed["version"]) == ("Chair", 2)

    removed = api.send("DELETE", path)

    assert (removed.status_code, removed.data) == (204, b"")
    assert_problem(api.send("GET", path), 404)
    assert [each["type"] for each in api.get("/changes")["items"]] == ["created", "disabled", "deleted"]


def test_a_provisioned_user_is_shown_and_edits_its_profile(acme: Enterprise, api: Api) -> None:
    user = acme.create(title="From the directory", externalId="entra-1")
    path = f"/users/{user['id']}"

    refused = [api.send("PATCH", path, {"title": "x"}), api.send("DELETE", path)]
    edited = api.send("PATCH", f"{path}/profile", {"title": "My own"}).get_json()

    for answer in refused:
        assert_problem(answer, 409, "is provisioned and cannot be")
    assert (edited["title"], edited["directory"]) == (
        "My own", {"title": "From the directory", "organization": None},
    )  # fmt: skip
    assert (edited["source"], edited["external_id"]) == ("provisioned", "entra-1")
    assert acme.get(user)["title"] == "From the directory"


def test_a_role_that_restricts_editing_refuses_the_user_s_own_edit(acme: Enterprise, api: Api) -> None:
    api.send("POST", "/roles", {"name": "Tied", "restrict_editing": True})
    user = acme.create(roles=["Tied"])

    answer = api.send("PATCH", f"/users/{user['id']}/profile", {"title": "My own"})

    assert_problem(answer, 403, "Role 'Tied' restricts editing")


def test_the_log_shows_refused_requests_with_reasons(acme: Enterprise, api: Api) -> None:
    acme.create(email="good@contoso.example")
    acme.send("POST", "/Users", _with_role("bad@contoso.example", "Nobody's"))

    (entry,) = api.get("/provisioning-log", outcome="refused")["items"]

    assert list(entry) == [
        "id", "time", "operation", "user_id", "email", "user_name", "external_id", "group_id", "group",
        "outcome", "status", "scim_type", "detail", "changed", "tolerances", "ignored", "client_id", "request_id", "duration_ms",
    ]  # fmt: skip
    assert (entry["operation"], entry["email"], entry["status"]) == ("create", "bad@contoso.example", 400)
    assert "Power Signer" in entry["detail"]  # an existing role
    assert entry["client_id"] == acme.made["client_id"]


def test_the_log_is_searched(acme: Enterprise, api: Api) -> None:
    user = acme.create(email="person@contoso.example")
    acme.patch(user, {"op": "replace", "path": "title", "value": "x"})
    acme.create(email="other@contoso.example")
    first, *_, last = reversed(api.get("/provisioning-log")["items"])

    def found(**query: Any) -> list[tuple[str, str]]:
        return [(each["operation"], each["email"]) for each in api.get("/provisioning-log", **query)["items"]]

    assert found(operation="patch") == [("patch", "person@contoso.example")]
    assert [operation for operation, _ in found(email="PERSON@contoso.example")] == ["patch", "create"]
    assert found(outcome="refused") == []
    assert len(found(since=first["time"], until=last["time"])) == 3
    assert found(since="2100-01-01T00:00:00+01:00") == []
    assert found(until="1999-12-31T23:59:59.5z") == []


def test_a_public_url_leads_the_locations(make_app: MakeApp, cli: Cli, acme: Enterprise) -> None:
    behind = make_app(PUBLIC_URL="https://app.example/prefix")
    other = Api(Enterprise(behind, acme.made, acme.token), make_api(acme).token)

    made = other.send("POST", "/users", HAND)

    location = made.headers["Location"]
    assert location == f"https://app.example/prefix/api/v1/users/{made.get_json()['id']}"
    assert other.get("/openapi.json")["servers"] == [{"url": "https://app.example/prefix/api/v1"}]
