"""The versions of libraries that setup.cfg allows."""

import configparser
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement


@pytest.mark.requirement("R55")
def test_the_libraries_that_meet_the_network_are_recent_enough() -> None:
    for package, least in (("waitress", (3, 0, 1)), ("flask", (3, 1, 1)), ("werkzeug", (3, 1))):
        assert tuple(map(int, version(package).split(".")[:3])) >= least, package


@pytest.mark.requirement("R55")
def test_every_library_is_bounded_on_both_sides_and_within() -> None:
    setup = configparser.ConfigParser()
    setup.read(Path(__file__).parents[2] / "setup.cfg")
    extras = setup["options.extras_require"]
    lines = f"{setup['options']['install_requires']}\n{extras['postgresql']}\n{extras['oidc']}".split("\n")

    needed = {each.name: each.specifier for each in map(Requirement, filter(None, lines))}

    for name, versions in needed.items():
        assert {each.operator for each in versions} == {">=", "<"}, name
        assert version(name) in versions, name
    assert {"flask", "werkzeug", "waitress", "itsdangerous", "sqlalchemy", "psycopg"} <= set(needed)
