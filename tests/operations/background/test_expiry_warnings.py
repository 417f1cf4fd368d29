"""The log warns once a day of tokens in use that expire soon."""

import logging
import threading

import pytest

from scimsvc.auth.last_uses import write_last_uses
from scimsvc.operations.background import expiry_warnings
from scimsvc.operations.background.expiry_warnings import ExpiryWarnings
from scimsvc.web.turns import Turn
from tests.support.client import Enterprise
from tests.support.moved_clock import MovedClock
from tests.support.types import Cli


def warn(enterprise: Enterprise, job: ExpiryWarnings, caplog: pytest.LogCaptureFixture) -> list[str]:
    """Run the job, and return its new warnings."""
    caplog.clear()
    logging.getLogger("scimsvc").propagate = True
    with enterprise.app.app_context():
        job.run(Turn(threading.Event()))
    return [record.getMessage() for record in caplog.records]


def use(enterprise: Enterprise, token: str) -> None:
    assert enterprise.send("GET", "/Users", token=token).status_code == 200
    write_last_uses(enterprise.app)


@pytest.mark.parametrize(("days", "warnings"), [(30, 0), (4, 0), (2, 1)])
def test_a_token_in_use_near_its_expiry_is_named(
    acme: Enterprise, cli: Cli, caplog: pytest.LogCaptureFixture, days: int, warnings: int
) -> None:
    issued = cli("token", "issue", "Acme", f"--days={days}")
    use(acme, issued["access_token"])

    messages = warn(acme, ExpiryWarnings(), caplog)

    (listed,) = [each for each in cli("token", "list", "Acme") if each["id"] == issued["id"]]
    expected = (
        f"The SCIM token {issued['id']} of Acme expires at {listed['expires_at']}. Create a new one and enter it in "
        "the identity provider."
    )
    assert messages == [expected] * warnings


def test_a_token_that_is_not_in_use_is_not_named(acme: Enterprise, cli: Cli, caplog: pytest.LogCaptureFixture) -> None:
    cli("token", "issue", "Acme", "--days=1")

    assert warn(acme, ExpiryWarnings(), caplog) == []


def test_the_log_warns_once_a_day(
    acme: Enterprise, cli: Cli, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    time = MovedClock(monkeypatch)
    use(acme, cli("token", "issue", "Acme", "--days=3")["access_token"])
    job, counts = ExpiryWarnings(), []
    for hours in (1, 1, 24, 1):
        time.move(hours=hours)
        counts.append(len(warn(acme, job, caplog)))

    assert counts == [1, 0, 1, 0]


def test_the_remembered_tokens_are_bounded(
    acme: Enterprise, cli: Cli, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expiry_warnings, "_MOST_TOKENS", 2)
    job = ExpiryWarnings()
    for _ in range(3):
        use(acme, cli("token", "issue", "Acme", "--days=1")["access_token"])

    assert len(warn(acme, job, caplog)) == 3
    assert len(job._warned) == 2
