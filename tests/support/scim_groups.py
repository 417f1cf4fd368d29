"""A client that provisions groups as identity providers do."""

from collections.abc import Iterable
from typing import Any

from werkzeug.test import TestResponse

from tests.support.client import Enterprise, patch_body
from tests.support.urns import GROUP_URN


def group_body(name: Any = "Sales", members: Iterable[str] | None = None, **attributes: Any) -> dict[str, Any]:
    """Return the body of a POST or PUT, without ``members`` if they are None."""
    body = {"schemas": [GROUP_URN], "displayName": name, **attributes}
    return body if members is None else {**body, "members": listed(members)}


def listed(members: Iterable[str]) -> list[dict[str, str]]:
    """Return IDs of users as elements of ``members``."""
    return [{"value": each} for each in members]


def create_group(
    enterprise: Enterprise, name: str = "Sales", members: Iterable[str] | None = None, **attributes: Any
) -> dict[str, Any]:
    """Create a group and return it."""
    answer = enterprise.send("POST", "/Groups", group_body(name, members, **attributes))
    assert answer.status_code == 201, answer.text
    return dict(answer.get_json())


def get_group(enterprise: Enterprise, group: dict[str, Any]) -> dict[str, Any]:
    """Return the current representation of the group."""
    answer = enterprise.send("GET", f"/Groups/{group['id']}")
    assert answer.status_code == 200, answer.text
    return dict(answer.get_json())


def patch_group(
    enterprise: Enterprise, group: dict[str, Any], *operations: dict[str, Any], **options: Any
) -> TestResponse:
    """Send a PATCH of ``operations``."""
    return enterprise.send("PATCH", f"/Groups/{group['id']}", patch_body(*operations), **options)


def member_ids(enterprise: Enterprise, group: dict[str, Any]) -> list[str]:
    """Return the IDs of the members in order."""
    return [member["value"] for member in get_group(enterprise, group)["members"]]


def create_users(enterprise: Enterprise, number: int) -> list[str]:
    """Create users and return their IDs."""
    return [enterprise.create(email=f"user{each}@contoso.example")["id"] for each in range(number)]


def tag_of(group: dict[str, Any], version: int = 1) -> str:
    """Return the entity tag of the version that was written when ``group`` was changed last."""
    return f'W/"{version}-{group["meta"]["lastModified"][8:23]}"'
