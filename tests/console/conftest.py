"""Fixtures: browsers that are signed in to the console."""

import pytest
from flask import Flask

from tests.support.client import Enterprise
from tests.support.console import Console, make_admin


@pytest.fixture
def operator(app: Flask) -> Console:
    """An operator, signed in."""
    return Console(app, make_admin(app, "operator@example.com"))


@pytest.fixture
def admin(acme: Enterprise) -> Console:
    """The administrator of ``acme``, signed in."""
    return Console(acme.app, make_admin(acme.app, "admin@acme.example", "Acme"))
