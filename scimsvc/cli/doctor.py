"""``doctor``: check the installation, and say what to change."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import click
from flask import Flask

from scimsvc import create_app
from scimsvc.cli.output import Failed, find_app_of_caller, result_command
from scimsvc.cli.values import cell
from scimsvc.operations.doctor.configuration import list_invalid
from scimsvc.operations.doctor.examining import examine, examine_settings, skipped
from scimsvc.operations.doctor.findings import Finding, Severity, worst_first
from scimsvc.operations.doctor.loading import examined_app
from scimsvc.store.engine.database import without_deadline
from scimsvc.store.upkeep.maintenance import close_database

Row = dict[str, Any]


def _text(rows: list[Row]) -> str:
    """Return the findings by severity, each with its remedy below it."""
    return "\n".join(
        line for severity, group in groupby(rows, _severity) for line in _paragraphs(severity, list(group))
    )


def _severity(row: Row) -> str:
    return str(row["severity"])


def _paragraphs(severity: str, rows: list[Row]) -> Iterator[str]:
    yield f"{severity.upper()}"
    for row in rows:
        of = f" [{cell(row['enterprise'])}]" if row["enterprise"] is not None else ""
        yield f"  {row['id']}{of}: {cell(row['found'])}"
        if row["remedy"] is not None:
            yield f"    {cell(row['remedy'])}"
    yield ""


@result_command(None, "doctor", text=_text, needs_app=False)
@click.option("--connect", is_flag=True, help="Also ask /healthz at SCIMSVC_PUBLIC_URL")
def doctor(*, connect: bool) -> Any:
    """Check the installation, and say what to change: settings, files, database, keys, addresses, providers, messages.

    It only reads, and works if settings are not valid or the database is missing or damaged. Exit status 1 means that
    an error was found. Warnings and infos do not change the exit status.
    """
    before, app = examine_settings(), find_app_of_caller()
    if app is not None:
        return _result(_examine(app, before, frozenset(), connect=connect))
    invalid = frozenset(list_invalid())
    with examined_app(create_app) as (loaded, problems):
        if loaded is None:
            return _result(worst_first([*before, *problems, skipped()]))
        return _result(_examine(loaded, [*before, *problems], invalid, connect=connect))


def _examine(app: Flask, before: list[Finding], invalid: frozenset[str], *, connect: bool) -> list[Finding]:
    with app.app_context(), without_deadline():
        try:
            return examine(before, invalid=invalid, connect=connect)
        finally:
            close_database()


def _result(findings: list[Finding]) -> Any:
    rows = [finding.represent() for finding in findings]
    return Failed(rows) if any(finding.severity == Severity.ERROR for finding in findings) else rows
