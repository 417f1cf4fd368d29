"""A healthy installation, and ways to break it."""

import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from flask import Flask
from flask.cli import ScriptInfo
from sqlalchemy import text

from scimsvc import clock, create_app
from scimsvc.cli.command_group import scimsvc
from scimsvc.extensions import db
from scimsvc.operations.background.lease import Lease, Periods
from scimsvc.operations.background.worker import WORKER_LEASE
from tests.support.apps import SECRET_KEY, dispose
from tests.support.client import Enterprise


class Installation:
    """The environment of an installation with an enterprise, and its database."""

    def __init__(self, acme: Enterprise, folder: Path, url: str) -> None:
        self.acme = acme
        self.app: Flask = acme.app
        self.folder = folder
        self.variables: dict[str, str | None] = {
            "SCIMSVC_DATABASE_URL": url.replace("postgresql+psycopg", "postgresql"),
            "SCIMSVC_INSTANCE_PATH": str(folder / "instance"),
            "SCIMSVC_SECRET_KEY": SECRET_KEY,
            "SCIMSVC_PUBLIC_URL": "https://localhost",
            "SCIMSVC_TRUSTED_PROXIES": "1",
        }
        with self.app.app_context():
            Lease(WORKER_LEASE, Periods()).keep()

    @property
    def file(self) -> Path:
        """The SQLite file."""
        return Path(str(self.variables["SCIMSVC_DATABASE_URL"]).removeprefix("sqlite:///"))

    def set(self, **variables: str | None) -> None:
        """Set variables, or remove them by None. Their names have no prefix."""
        self.variables |= {f"SCIMSVC_{name}": value for name, value in variables.items()}

    def execute(self, statement: str, **parameters: Any) -> None:
        """Execute SQL."""
        with self.app.app_context(), db.engine.begin() as connection:
            connection.execute(text(statement), parameters)

    def write_file(self, content: bytes) -> None:
        """Replace the SQLite file."""
        dispose(self.app)
        for suffix in ("-wal", "-shm"):
            self.file.with_name(self.file.name + suffix).unlink(missing_ok=True)
        self.file.write_bytes(content)

    def run(self, *options: str) -> Result:
        """Run the doctor like the console script does."""
        arguments: Sequence[str] = ("doctor", *options)
        return CliRunner(env=self.variables).invoke(
            scimsvc, arguments, obj=ScriptInfo(create_app=create_app), catch_exceptions=False
        )

    def examine(self, *options: str) -> list[dict[str, Any]]:
        """Return the findings, and check the exit status."""
        result = self.run("--json", *options)
        findings: list[dict[str, Any]] = json.loads(result.stdout)
        assert result.exit_code == int(any(each["severity"] == "error" for each in findings)), result.stderr
        return findings


def later(**span: float) -> str:
    """Return a time from now on."""
    return clock.timestamp(clock.now() + timedelta(**span))
