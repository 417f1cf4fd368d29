"""Fixtures of tests of lists."""

from datetime import timedelta
from typing import Any

import pytest

from scimsvc import clock
from tests.support.client import Enterprise
from tests.support.urns import ENTERPRISE_URN


@pytest.fixture
def sortable_users(acme: Enterprise, monkeypatch: pytest.MonkeyPatch) -> None:
    """Create users whose userNames, addresses and titles are in three different orders, a second apart."""
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
    start = clock.now()
    for seconds, (name, attributes) in enumerate(people.items()):
        monkeypatch.setattr(clock, "now", lambda seconds=seconds: start + timedelta(seconds=seconds))
        acme.create(**{"email": f"{ord(name)}@x.example", "userName": name} | attributes)
