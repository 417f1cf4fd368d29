"""Apps, databases and enterprises for tests."""

import json
import os
from typing import Any

import psycopg
from flask import Flask

from scimsvc.extensions import Model, db
from tests.support.client import Api, Enterprise

POSTGRESQL_URL = os.environ.get("SCIMSVC_TEST_POSTGRESQL_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
SECRET_KEY = "a key for tests alone and of no use elsewhere 0123456789"


def run_command(app: Flask, *words: str) -> Any:
    """Run a command with --json and return its result."""
    result = app.test_cli_runner().invoke(args=[*words, "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def dispose(app: Flask) -> None:
    """Close the connections of an app."""
    with app.app_context():
        db.engine.dispose()


def empty_postgresql(url: str) -> None:
    """Delete every row, whoever made it."""
    with psycopg.connect(url) as connection:
        for table in reversed(Model.metadata.sorted_tables):
            connection.execute(f"DELETE FROM {table.name}")


def make_enterprise(app: Flask, name: str) -> Enterprise:
    """Make an enterprise as ``acme`` is."""
    roles = ["SigningHub_Admin", "User", "Power Signer"]
    made = run_command(app, "enterprise", "create", name, "--enable-scim", *(f"--role={role}" for role in roles))
    run_command(app, "role", "update", name, "Power Signer", "--alias", "PowerSigner")
    token = run_command(app, "token", "issue", name)["access_token"]
    return Enterprise(app, made, token)


def make_api(enterprise: Enterprise) -> Api:
    """Return the enterprise API of ``enterprise``, with a token of its own."""
    token = run_command(enterprise.app, "token", "issue", enterprise.name, "--api")["access_token"]
    return Api(enterprise, token)
