"""Manual users are found by Entra's match, taken over by its first change, and not deleted before that."""

from typing import Any

import pytest

from tests.support.client import Enterprise, assert_scim_error, replace, user_body
from tests.support.types import Cli
from tests.support.urns import ENTERPRISE_URN


@pytest.fixture
def manual(acme: Enterprise, cli: Cli) -> dict[str, Any]:
    named = ["--user-name=By Hand", "--given-name=By", "--family-name=Hand", "--phone=12", "--role=User"]
    edited = ["--title=Boss", "--organization=Own Ltd"]
    return dict(cli("user", "create", "Acme", "manual@contoso.example", *named, *edited))


def test_a_manual_user_is_found_by_entras_match(acme: Enterprise, manual: dict[str, Any]) -> None:
    (found,) = acme.find('emails[type eq "work"].value eq "MANUAL@contoso.example"')

    assert found["id"] == manual["id"]
    assert found["name"] == {"givenName": "By", "familyName": "Hand"}
    assert found["phoneNumbers"] == [{"value": "12", "type": "work"}]
    assert found["roles"] == [{"value": "User", "primary": True}]
    assert "title" not in found  # the directory has not set it
    assert (manual["source"], manual["directory"], manual["title"]) == ("manual", None, "Boss")


@pytest.mark.requirement("R22")
def test_post_never_takes_over(acme: Enterprise, cli: Cli, manual: dict[str, Any]) -> None:
    answer = acme.send("POST", "/Users", user_body("manual@contoso.example"))

    assert_scim_error(answer, 409, "uniqueness", "manual@contoso.example")
    assert cli("user", "show", "Acme", manual["id"]) == manual


@pytest.mark.requirement("R28")
def test_a_manual_user_is_not_deleted(acme: Enterprise, cli: Cli, manual: dict[str, Any]) -> None:
    answer = acme.send("DELETE", f"/Users/{manual['id']}")

    assert_scim_error(answer, 400, "mutability", "created manually in Acme")
    assert cli("user", "show", "Acme", manual["id"]) == manual


def test_a_refused_change_does_not_take_over(acme: Enterprise, cli: Cli, manual: dict[str, Any]) -> None:
    assert acme.patch(manual, replace("roles", "Nobody")).status_code == 400

    assert cli("user", "show", "Acme", manual["id"]) == manual


def test_a_patch_takes_over_even_one_that_changes_nothing(acme: Enterprise, cli: Cli, manual: dict[str, Any]) -> None:
    answer = acme.patch(manual, replace("active", True))

    taken = cli("user", "show", "Acme", manual["id"])
    assert answer.status_code == 200
    assert taken["source"] == "provisioned"
    assert (taken["role"], taken["title"], taken["organization"]) == ("User", "Boss", "Own Ltd")
    assert taken["directory"] == {"title": None, "organization": None}
    assert acme.send("DELETE", f"/Users/{manual['id']}").status_code == 204


def test_a_put_takes_over_and_without_roles_leaves_the_role(acme: Enterprise, cli: Cli, manual: dict[str, Any]) -> None:
    acme.send("PUT", f"/Users/{manual['id']}", user_body("manual@contoso.example"))

    taken = cli("user", "show", "Acme", manual["id"])
    assert (taken["source"], taken["role"], taken["user_name"]) == ("provisioned", "User", "Test User")


def test_the_directorys_values_become_effective_when_they_change(
    acme: Enterprise, cli: Cli, manual: dict[str, Any]
) -> None:
    organization = f"{ENTERPRISE_URN}:organization"

    acme.patch(manual, replace("title", "Lead"), replace(organization, ""))
    first = cli("user", "show", "Acme", manual["id"])
    acme.patch(manual, replace("title", ""), replace(organization, "Contoso"))
    second = cli("user", "show", "Acme", manual["id"])

    assert (first["title"], first["organization"]) == ("Lead", "Own Ltd")
    assert (second["title"], second["organization"]) == ("Lead", "Contoso")
    assert second["directory"] == {"title": None, "organization": "Contoso"}


def test_a_put_of_an_unchanged_user_takes_over_and_keeps_the_version(
    acme: Enterprise, cli: Cli, manual: dict[str, Any]
) -> None:
    before = acme.get(manual)

    answer = acme.send("PUT", f"/Users/{manual['id']}", before)

    assert (answer.status_code, answer.get_json()) == (200, before)
    assert cli("user", "show", "Acme", manual["id"])["source"] == "provisioned"
