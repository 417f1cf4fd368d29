"""`explain` shows the effect of a request about groups, answers as the request would, and writes nothing."""

import json
from pathlib import Path
from typing import Any

import pytest

from scimsvc.scim.explain import explain
from tests.support.client import SCIM, Enterprise, patch_body, replace
from tests.support.commands import text_of
from tests.support.groups import memberships
from tests.support.records import feed_of, log_of
from tests.support.scim_groups import create_group, create_users, get_group, group_body, listed
from tests.support.types import Cli
from tests.support.urns import BULK_URN, GROUP_URN


def explained(acme: Enterprise, method: str, path: str, body: Any = None) -> dict[str, Any]:
    """Return the explanation of a request."""
    members = {"method": method, "path": path} | ({} if body is None else {"body": body})
    with acme.app.app_context():
        return explain(acme.made["id"], members, base=f"http://localhost{SCIM}")


def test_a_patch_is_explained_with_those_who_join_and_leave(acme: Enterprise) -> None:
    ada, bob, eve = create_users(acme, 3)
    group = create_group(acme, members=[ada, bob])
    before = (get_group(acme, group), feed_of(acme), log_of(acme), memberships(acme))
    operations = [
        replace("displayName", "New"),
        {"op": "Add", "path": "members", "value": listed([eve, bob])},
        {"op": "remove", "path": f'members[value eq "{ada}"]'},
    ]

    told = explained(acme, "PATCH", f"/Groups/{group['id']}", patch_body(*operations))

    assert {name: told[name] for name in ("operation", "outcome", "status", "tolerances", "user", "role")} == {
        "operation": "patch", "outcome": "ok", "status": 204, "tolerances": ["op-case"], "user": None, "role": None,
    }  # fmt: skip
    assert told["group"] == {"id": group["id"], "name": "Sales", "members": 2}
    assert told["changes"] == [
        {"attribute": "displayName", "before": "Sales", "after": "New"},
        {"attribute": "members", "before": [{"value": ada}], "after": [{"value": eve}]},
    ]
    assert [each["op"] for each in told["request"]] == ["replace", "add", "remove"]
    assert (get_group(acme, group), feed_of(acme), log_of(acme), memberships(acme)) == before


def test_an_explanation_lists_the_users_whose_role_would_change(acme: Enterprise, cli: Cli, tmp_path: Path) -> None:
    ada, bob = create_users(acme, 2)
    group = create_group(acme, members=[ada])
    cli("role", "add", "Acme", "Seller", "--group", "Sales")
    removal = {"op": "remove", "path": "members"}

    told = explained(acme, "PATCH", f"/Groups/{group['id']}", patch_body(removal))
    asked = tmp_path / "request.json"
    asked.write_text(json.dumps({"method": "DELETE", "path": f"/Groups/{group['id']}"}))
    text = text_of(acme.app, "explain", "Acme", str(asked))

    assert told["role_changes"] == [
        {
            "email": acme.get({"id": ada})["emails"][0]["value"],
            "user_id": ada,
            "old_role": "Seller",
            "role": "DefaultEnterprise",
        }
    ]
    assert f"{told['role_changes'][0]['email']}: Seller to DefaultEnterprise" in text
    addition = {"op": "add", "path": "members", "value": listed([bob])}
    told = explained(acme, "PATCH", f"/Groups/{group['id']}", patch_body(addition))
    assert [each["user_id"] for each in told["role_changes"]] == [bob]
    assert "role_changes" not in explained(acme, "GET", f"/Groups/{group['id']}")


def test_a_first_group_is_explained_and_not_created(acme: Enterprise) -> None:
    (ada,) = create_users(acme, 1)

    told = explained(acme, "POST", "/Groups", group_body("Sales", [ada]))

    assert (told["outcome"], told["status"], told["operation"]) == ("ok", 201, "create")
    assert told["changes"] == [
        {"attribute": "displayName", "before": None, "after": "Sales"},
        {"attribute": "members", "before": None, "after": [{"value": ada}]},
    ]
    assert told["request"] == {"displayName": "Sales", "members": [{"value": ada}]}
    assert acme.send("GET", "/Groups").get_json()["totalResults"] == 0


def test_a_taken_name_is_explained_with_its_holder(acme: Enterprise) -> None:
    holder = create_group(acme)

    told = explained(acme, "POST", "/Groups", group_body("SALES"))

    assert (told["outcome"], told["status"], told["scim_type"]) == ("refused", 409, "uniqueness")
    assert told["group"] == {"id": holder["id"], "name": "Sales", "members": 0}
    assert told["detail"] == acme.send("POST", "/Groups", group_body("SALES")).get_json()["detail"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/Groups", {"schemas": [GROUP_URN]}, 400),
        ("POST", "/Groups", group_body("New", ["nobody"]), 400),
        ("PUT", "/Groups/{id}", group_body("Other"), 409),
        ("PUT", "/Groups/{id}", group_body("New"), 200),
        ("PATCH", "/Groups/{id}?attributes=id", patch_body(replace("displayName", "New")), 200),
        ("PATCH", "/Groups/{id}", patch_body({"op": "add", "path": "members", "value": ["nobody"]}), 400),
        ("DELETE", "/Groups/{id}", None, 204),
        ("DELETE", "/Groups/nothing", None, 404),
        ("GET", "/Groups/{id}", None, 200),
        ("GET", '/Groups?filter=userName eq "x"', None, 400),
    ],
)
def test_an_explanation_has_the_status_and_the_detail_of_the_request(
    acme: Enterprise, method: str, path: str, body: Any, status: int
) -> None:
    group = create_group(acme)
    create_group(acme, "Other")
    path = path.format(id=group["id"])

    told = explained(acme, method, path, body)
    answer = acme.send(method, path, body)

    assert (told["status"], answer.status_code) == (status, status)
    assert told.get("detail") == (answer.get_json(silent=True) or {}).get("detail")


def test_a_search_at_the_root_is_explained_with_the_users_that_it_finds(acme: Enterprise) -> None:
    create_users(acme, 2)
    for name in "AB":
        create_group(acme, name)
    page = acme.send("GET", "?cursor=&count=1&sortBy=members.value").get_json()

    for query in ("?filter=meta.created pr", f"?sortBy=members.value&cursor={page['nextCursor']}"):
        told = explained(acme, "GET", query)
        assert (told["status"], len(told["users"])) == (200, 2)


def test_a_search_and_a_bulk_request_are_explained(acme: Enterprise) -> None:
    group = create_group(acme)
    (ada,) = create_users(acme, 1)
    add = patch_body({"op": "add", "path": "members", "value": [ada]})
    operations = [{"method": "PATCH", "path": f"/Groups/{group['id']}", "data": add}]

    found = explained(acme, "GET", '/Groups?filter=displayName eq "sales"')
    many = explained(acme, "POST", "/Bulk", {"schemas": [BULK_URN], "Operations": operations})

    assert found["groups"] == [{"id": group["id"], "name": "Sales"}]
    assert "users" not in found
    assert [each["changes"] for each in many["operations"]] == [
        [{"attribute": "members", "before": None, "after": [{"value": ada}]}]
    ]
    assert memberships(acme) == {}
