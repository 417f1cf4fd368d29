"""Create, use and close apps and enterprises in tests."""

import json
from typing import Any

from flask import Flask

from scimsvc.extensions import db
from tests.support.client import Api, Enterprise
from tests.support.kept_connections import end_of_app

SECRET_KEY = "a key for tests alone and of no use elsewhere 0123456789"


def run_command(app: Flask, *words: str) -> Any:
    """Run a command with --json and return its result."""
    result = app.test_cli_runner().invoke(args=[*words, "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def dispose(app: Flask) -> None:
    """End the use of an app. Its connections to PostgreSQL wait for the next app."""
    with app.app_context(), end_of_app():
        db.engine.dispose()


def make_enterprise(app: Flask, name: str) -> Enterprise:
    """Create an enterprise like ``acme``."""
    roles = ["SigningHub_Admin", "User", "Power Signer"]
    made = run_command(app, "enterprise", "create", name, "--enable-scim", *(f"--role={role}" for role in roles))
    run_command(app, "role", "update", name, "Power Signer", "--alias", "PowerSigner")
    token = run_command(app, "token", "issue", name)["access_token"]
    return Enterprise(app, made, token)


def make_api(enterprise: Enterprise) -> Api:
    """Return the enterprise API of ``enterprise``, with a new token that issues tokens of at most 30 days."""
    token = run_command(enterprise.app, "token", "issue", enterprise.name, "--api", "--days", "30")["access_token"]
    return Api(enterprise, token)


def is_sqlite(app: Flask) -> bool:
    """Return whether the database of ``app`` is SQLite."""
    return bool(app.config["SQLALCHEMY_DATABASE_URI"].startswith("sqlite"))
