"""Enterprises and users by number, so that a million of them need no memory.

The first enterprise has a fifth of all users, and its users are listed. The others share the rest evenly.
"""

import hashlib
import uuid
from dataclasses import dataclass
from typing import Any

from tests.support.client import patch_body
from tests.support.urns import ENTERPRISE_URN, USER_URN

DEFAULT_ROLE = "DefaultEnterprise"
ROLES = ("SigningHub_Admin", "User")
_LARGEST_SHARE = 5


@dataclass(frozen=True)
class Population:
    """``users`` in ``enterprises``, both counted from 0."""

    users: int
    enterprises: int

    @property
    def largest(self) -> int:
        """The number of users in enterprise 0."""
        return self.users if self.enterprises == 1 else max(1, self.users // _LARGEST_SHARE)

    def members(self, enterprise: int) -> range:
        """Return the users of an enterprise."""
        if enterprise == 0:
            return range(self.largest)
        others, rest = self.enterprises - 1, self.users - self.largest
        return range(
            self.largest + rest * (enterprise - 1) // others,
            self.largest + rest * enterprise // others,
        )

    def enterprise_of(self, user: int) -> int:
        """Return the enterprise that ``user`` belongs to."""
        if user < self.largest:
            return 0
        others, rest = self.enterprises - 1, self.users - self.largest
        return (others * (user - self.largest + 1) - 1) // rest + 1


def user_id(user: int) -> str:
    """Return the ID of an initial user: as random as the service's IDs, and always the same."""
    digest = hashlib.md5(str(user).encode(), usedforsecurity=False).digest()
    return str(uuid.UUID(bytes=digest, version=4))


def email(user: int | str) -> str:
    """Return the work address of a user."""
    return f"given.family{user}@enterprise.example"


def role(user: int) -> str | None:
    """Return the role of an initial user. One of three users has the default role."""
    return (None, *ROLES)[user % 3]


def user_body(user: int | str, role_name: str | None) -> dict[str, Any]:
    """Return the body with which Entra creates a user (tests/payloads/entra/create)."""
    return {
        "schemas": [USER_URN, ENTERPRISE_URN],
        "externalId": f"given.family{user}",
        "userName": f"Given Family {user}",
        "active": True,
        "displayName": f"Given Family {user}",
        "title": "Engineer",
        "emails": [{"primary": True, "type": "work", "value": email(user)}],
        "meta": {"resourceType": "User"},
        "name": {"formatted": f"Given Family {user}", "familyName": f"Family {user}", "givenName": "Given"},
        "phoneNumbers": [{"type": "work", "value": f"+49 30 {user}"}],
        "roles": [{"primary": True, "type": "WindowsAzureActiveDirectoryRole", "value": role_name}]
        if role_name
        else [],
        ENTERPRISE_URN: {"employeeNumber": str(user), "department": "Development", "organization": "Enterprise"},
    }


def change_body(revision: str) -> dict[str, Any]:
    """Return a PATCH like Entra's with three operations that change the user for each new ``revision``."""
    return patch_body(
        {"op": "Replace", "path": "title", "value": f"Engineer {revision}"},
        {"op": "Replace", "path": 'phoneNumbers[type eq "work"].value', "value": f"+49 30 {revision}"},
        {"op": "Replace", "path": f"{ENTERPRISE_URN}:department", "value": f"Development {revision}"},
    )
