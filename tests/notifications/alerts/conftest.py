"""Fixtures of alerts."""

import pytest

from tests.support.alerts import AlertWatch
from tests.support.client import Enterprise
from tests.support.moved_clock import MovedClock


@pytest.fixture
def watch(acme: Enterprise, monkeypatch: pytest.MonkeyPatch) -> AlertWatch:
    """The checks of a worker that has just started, and the clock."""
    return AlertWatch(acme, MovedClock(monkeypatch))
