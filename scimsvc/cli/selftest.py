"""``selftest``: play an identity provider against an installation."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from scimsvc.auth.state import token_signer
from scimsvc.cli.options import STANDARD_INPUT, read_secret
from scimsvc.cli.output import Failed, app_command, find_app_of_caller, result_command
from scimsvc.cli.printable import printable
from scimsvc.operations.files import find_missing_database
from scimsvc.paths import SCIM_PREFIX
from scimsvc.selftest.enterprise import ROLES, throwaway_enterprise
from scimsvc.selftest.plan import ALL, CHOICES, make_plan
from scimsvc.selftest.report import WRITERS, Report, write_text
from scimsvc.selftest.running import run as run_steps
from scimsvc.selftest.session import Session, new_run
from scimsvc.selftest.target import Target, TargetError, parse_target
from scimsvc.settings import SELFTEST_TOKEN, read_setting


def _check_report(_context: click.Context, _option: click.Parameter, path: Path | None) -> Path | None:
    """Refuse a report that cannot be written, before minutes of work."""
    if path is not None and path.suffix not in WRITERS:
        raise click.UsageError(f"--report needs a file name that ends in one of {', '.join(WRITERS)}.")
    if path is not None and not os.access(path.parent, os.W_OK | os.X_OK):
        raise click.UsageError(f"--report: The folder '{path.parent}' does not exist or cannot be written.")
    return path


@result_command(None, "selftest", text=lambda report: printable(write_text(report)), needs_app=False)
@click.option("--url", metavar="TENANT_URL", help="Tenant URL to test  [default: that of SCIMSVC_PUBLIC_URL]")
@click.option(
    "--token",
    envvar=SELFTEST_TOKEN,
    help=f"SCIM token of an existing enterprise; {STANDARD_INPUT} reads it from standard input  "
    f"[env var: {SELFTEST_TOKEN}]",
)
@click.option(
    "--as",
    "provider",
    type=click.Choice(CHOICES),
    default=ALL,
    show_default=True,
    help="Identity provider to play",
)
@click.option("--quick", is_flag=True, help="Wait only briefly where a check looks for time limits")
@click.option(
    "--ca-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Certificates of further issuers to trust",
)
@click.option(
    "--report",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    callback=_check_report,
    help=f"Also write the report to this file: {', '.join(WRITERS)} (JUnit)",
)
def selftest(
    url: str | None, token: str | None, provider: str, quick: bool, ca_file: Path | None, report: Path | None
) -> Any:
    """Play an identity provider against a running installation, from outside, through its proxy and TLS.

    On the machine of the installation, the self-test works in an enterprise of its own, which it deletes at the end.
    With --token it works in the enterprise of the token. There it creates only users with addresses under
    selftest.scimsvc.invalid and groups with names that begin with 'scimsvc selftest', and deletes all of them. After
    a crash, the next run does this. Exit status 1 means that something must be changed.
    """
    target = _target(url, ca_file)
    if token is None:
        _refuse_other_machine()
        result = _run_beside_database(target, provider, quick)
    else:
        session = Session(target, _read_token(token))
        result = _run(session, provider, quick)
    members = result.as_dict()
    if report is not None:
        _write(report, members)
    return Failed(members) if result.has_errors else members


def _read_token(text: str) -> str:
    token = read_secret("Token") if text == STANDARD_INPUT else text.strip()
    if not token:
        raise click.UsageError("--token is empty. Create a SCIM token with 'scimsvc token issue ENTERPRISE --scim'.")
    return token


def _refuse_other_machine() -> None:
    """Refuse a run without a token where there is no database to create an enterprise in."""
    path = None if find_app_of_caller() is not None else find_missing_database()
    if path is not None:
        raise click.ClickException(
            f"No database at {path}. Use --token with a SCIM token, or run this on the machine of the installation, "
            "with its settings."
        )


def _target(url: str | None, ca_file: Path | None) -> Target:
    if url is None:
        root = read_setting("PUBLIC_URL")
        if root is None:
            raise click.UsageError("Set SCIMSVC_PUBLIC_URL, or use --url with the Tenant URL.")
        url = f"{root}{SCIM_PREFIX}"
    try:
        return parse_target(url, ca_file)
    except TargetError as error:
        raise click.UsageError(str(error)) from None


@app_command(needs_key=True)
def _run_beside_database(target: Target, provider: str, quick: bool) -> Report:
    run = new_run()
    with _interrupted_by_sigterm(), throwaway_enterprise(run, token_signer.current) as enterprise:
        session = Session(target, enterprise.scim_token, run, api_token=enterprise.api_token, roles=ROLES)
        return run_steps(session.with_waits(quick), make_plan(provider), _show_progress)


def _run(session: Session, provider: str, quick: bool) -> Report:
    with _interrupted_by_sigterm():
        return run_steps(session.with_waits(quick), make_plan(provider), _show_progress)


@contextmanager
def _interrupted_by_sigterm() -> Iterator[None]:
    """Let SIGTERM end a run as Ctrl-C does, so that it deletes the objects that it created."""
    former = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)


def _write(path: Path, told: dict[str, Any]) -> None:
    try:
        path.write_text(WRITERS[path.suffix](told), "utf-8")
    except OSError as error:
        raise click.ClickException(f"The report cannot be written to {path}: {error.strerror}.") from None


def _show_progress(done: int, total: int, title: str) -> None:
    """Write a line on standard error for each step, on a terminal over the earlier line."""
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K{f'[{done + 1}/{total}] {title}' if done < total else ''}", nl=False, err=True)
    elif done < total:
        click.echo(f"[{done + 1}/{total}] {title}", err=True)
