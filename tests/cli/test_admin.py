"""``admin create`` gives no one access to every enterprise by omission."""

import json
import os
import pty
import subprocess
from pathlib import Path

import pytest

from tests.support.client import Enterprise
from tests.support.commands import misuse
from tests.support.live import SCIMSVC, environment
from tests.support.types import Cli


def test_an_account_needs_an_enterprise_or_the_option_operator(acme: Enterprise, cli: Cli) -> None:
    neither = misuse(acme.app, "admin", "create", "a@example.com")
    both = misuse(acme.app, "admin", "create", "a@example.com", "--enterprise", "Acme", "--operator")

    assert "Pass --enterprise E for an administrator of one enterprise, or --operator for all of them." in neither
    assert "--operator contradicts --enterprise" in both
    assert cli("admin", "list") == []


@pytest.mark.slow
@pytest.mark.system
@pytest.mark.parametrize(("typed", "status", "operators"), [(b"y\n", 0, 1), (b"n\n", 2, 0), (b"\n", 2, 0)])
def test_a_terminal_asks_for_an_operator(tmp_path: Path, typed: bytes, status: int, operators: int) -> None:
    variables = environment(INSTANCE_PATH=str(tmp_path / "instance"))
    subprocess.run([SCIMSVC, "init"], env=variables, check=True, capture_output=True)
    ours, theirs = pty.openpty()

    os.write(ours, typed)
    done = subprocess.run(
        [SCIMSVC, "admin", "create", "a@example.com"], stdin=theirs, env=variables, capture_output=True
    )
    listed = subprocess.run([SCIMSVC, "admin", "list", "--json"], env=variables, check=True, capture_output=True)
    os.close(ours)
    os.close(theirs)

    assert (done.returncode, len(json.loads(listed.stdout))) == (status, operators)
    assert b"Create a@example.com as an operator, who may administer every enterprise?" in done.stderr
