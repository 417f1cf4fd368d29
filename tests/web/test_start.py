"""The start of an app: it loads and compiles only what serving needs."""

import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.routing import Map

from scimsvc.web.application import LazyRule

#: Packages that only some commands, requests or databases need.
NOT_FOR_SERVING = {
    "alembic",
    "apispec",
    "marshmallow",
    "prometheus_client",
    "psycopg",
    "pyotp",
    "scimsvc.cli.user",
    "scimsvc.migrations",
    "segno",
    "sqlalchemy.dialects.postgresql",
}


@pytest.mark.system
def test_an_app_on_sqlite_imports_only_what_serving_needs(tmp_path: Path) -> None:
    code = (
        "import sys; from scimsvc import create_app; import scimsvc.cli.serve; "
        f"create_app({{'INSTANCE_PATH': {str(tmp_path)!r}}}); print(*sys.modules, sep=chr(10))"
    )

    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert set(run.stdout.split()) & NOT_FOR_SERVING == set()


def test_a_rule_compiles_its_url_builders_at_first_use() -> None:
    rule = LazyRule("/Users/<name>", endpoint="user")
    adapter = Map([rule]).bind("app.example.com")
    uncompiled = rule._build_unknown

    urls = [adapter.build("user", {"name": "x y", "page": 2}) for _ in range(2)]

    assert urls == ["/Users/x%20y?page=2"] * 2
    assert rule._build_unknown is not uncompiled
    assert adapter.match("/Users/z") == ("user", {"name": "z"})


def test_an_app_has_no_other_rules(app: Flask) -> None:
    assert {type(rule) for rule in app.url_map.iter_rules()} == {LazyRule}
