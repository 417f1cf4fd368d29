"""The self-test judges a SCIM server of other people by the RFCs."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scimsvc.selftest.findings import Outcome
from scimsvc.selftest.plan import make_plan
from scimsvc.selftest.running import run
from scimsvc.selftest.session import Session
from scimsvc.selftest.target import parse_target
from tests.support.live import PATIENCE
from tests.support.proxy import free_port, is_open

pytestmark = [pytest.mark.slow, pytest.mark.system]

TOKEN = "token-of-the-test"


@contextmanager
def scim2_server() -> Iterator[str]:
    """Run scim2-server of PyPI, and return the URL of its resources."""
    beside = Path(sys.executable).with_name("scim2-server")
    program = str(beside) if beside.exists() else shutil.which("scim2-server")
    if program is None:
        pytest.skip("scim2-server is not installed")
    url = f"http://127.0.0.1:{(port := free_port())}/v2"
    command = [program, "--port", str(port), "--bearer-token", TOKEN]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(port, process)
            yield url
        finally:
            process.terminate()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_open(port):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_sound_server_has_no_errors_and_only_true_warnings() -> None:
    with scim2_server() as url:
        session = Session(parse_target(url), TOKEN, pause=0.25)
        findings = run(session, make_plan(), lambda *_: None).findings

    errors = {each.check: each.detail for each in findings if each.outcome is Outcome.ERROR}
    warnings = {each.check for each in findings if each.outcome is Outcome.WARNING}
    assert errors == {}
    assert {check for check in warnings if check.startswith(("proxy.", "reach", "cleanup"))} == {"proxy.http_1_0"}
    assert {each.check for each in findings if each.check == "cleanup"} == {"cleanup"}
