"""Fixtures of tests of lists."""

from typing import Any

import pytest

from tests.support.client import Enterprise
from tests.support.urns import ENTERPRISE_URN


@pytest.fixture
def sortable_users(acme: Enterprise) -> None:
    """Users whose userNames, addresses and titles are in three different orders."""
    people: dict[str, dict[str, Any]] = {
        "b": {"title": "Z", "active": False, "emails": [{"type": "work", "value": "3@x.example"}]},
        "A": {
            "emails": [
                {"type": "work", "value": "2@x.example"},
                {"type": "home", "value": "9@x.example", "primary": True},
            ]
        },
        "É": {"title": "a", "roles": [{"value": "User"}], ENTERPRISE_URN: {"department": "d"}},
        "c": {"title": "B", "roles": [{"value": "SigningHub_Admin"}], "name": {"familyName": "x"}},
    }
    for name, attributes in people.items():
        acme.create(**{"email": f"{ord(name)}@x.example", "userName": name} | attributes)
