"""Files around the package: bounds of dependencies, the one version, and the targets of make that documents name."""

import configparser
import re
import subprocess
import sys

import pytest
from packaging.requirements import Requirement

from scimsvc import __version__
from tests.support.documents import PAGES, ROOT

SETUP = configparser.ConfigParser()
SETUP.read_string((ROOT / "setup.cfg").read_text("utf-8"))
EXTRAS = SETUP["options.extras_require"]
LINES = SETUP["options"]["install_requires"] + EXTRAS["oidc"]
NEEDED = [Requirement(line) for line in LINES.split("\n") if line]
TEXTS = {page.name: page.read_text("utf-8") for page in [*PAGES, ROOT / "docs" / "releasing.md", ROOT / ".ci" / "run"]}


@pytest.mark.parametrize("requirement", NEEDED, ids=lambda requirement: requirement.name)
def test_a_dependency_has_a_lower_and_an_upper_bound(requirement: Requirement) -> None:
    assert sorted(bound.operator for bound in requirement.specifier) == ["<", ">="]


@pytest.mark.system
def test_the_lowest_versions_are_the_lower_bounds() -> None:
    run = subprocess.run([sys.executable, ROOT / ".ci" / "lowest.py"], capture_output=True, text=True, check=True)

    pins = dict(line.split("==") for line in run.stdout.splitlines())
    lowest = {each.name: bound.version for each in NEEDED for bound in each.specifier if bound.operator == ">="}
    assert {name: version for name, version in pins.items() if name != "psycopg"} == lowest
    assert "psycopg" in pins


def test_the_version_is_stated_once() -> None:
    assert SETUP["metadata"]["version"] == "attr: scimsvc.__version__"
    assert f'__version__ = "{__version__}"' in (ROOT / "scimsvc" / "__init__.py").read_text("utf-8")


def test_targets_of_make_that_documents_name_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))

    commands = [words for text in TEXTS.values() for words in re.findall(r"(?:^|`)make ([-a-z ]+)", text, re.MULTILINE)]
    named = {word for words in commands for word in words.split() if not word.startswith("--")}
    assert {"setup", "test", "test-fast", "lint", "types", "docs", "bench", "hooks"} <= named
    assert named <= targets
