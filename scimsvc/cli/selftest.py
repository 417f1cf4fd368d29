"""``selftest``: play an identity provider against an installation."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from scimsvc.cli.options import STANDARD_INPUT, read_secret
from scimsvc.cli.output import Failed, result_command
from scimsvc.cli.printable import printable
from scimsvc.selftest.plan import ALL, CHOICES, make_plan
from scimsvc.selftest.report import WRITERS, write_text
from scimsvc.selftest.running import run
from scimsvc.selftest.session import Session
from scimsvc.selftest.target import TargetError, parse_target
from scimsvc.settings import SELFTEST_TOKEN


def _refuse_other_suffixes(_context: click.Context, _option: click.Parameter, path: Path | None) -> Path | None:
    if path is not None and path.suffix not in WRITERS:
        raise click.UsageError(f"--report needs a file name that ends in one of {', '.join(WRITERS)}.")
    return path


@result_command(None, "selftest", text=lambda report: printable(write_text(report)), needs_app=False)
@click.option("--url", metavar="TENANT_URL", required=True, help="Tenant URL to test")
@click.option(
    "--token",
    envvar=SELFTEST_TOKEN,
    required=True,
    help=f"SCIM token; {STANDARD_INPUT} reads it from standard input  [env var: {SELFTEST_TOKEN}]",
)
@click.option(
    "--as",
    "provider",
    type=click.Choice(CHOICES),
    default=ALL,
    show_default=True,
    help="Identity provider to play",
)
@click.option(
    "--ca-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Certificates of further issuers to trust",
)
@click.option(
    "--report",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    callback=_refuse_other_suffixes,
    help=f"Also write the report to this file: {', '.join(WRITERS)} (JUnit)",
)
def selftest(url: str, token: str, provider: str, ca_file: Path | None, report: Path | None) -> Any:
    """Play an identity provider against a running installation, from outside, through its proxy and TLS.

    Only users with addresses under selftest.scimsvc.invalid and groups with names that begin with 'scimsvc selftest'
    are created. All of them are deleted at the end. Exit status 1 means that something must be changed.
    """
    try:
        target = parse_target(url, ca_file)
    except TargetError as error:
        raise click.UsageError(str(error)) from None
    session = Session(target, read_secret("Token") if token == STANDARD_INPUT else token)
    with _interrupted_by_sigterm():
        result = run(session, make_plan(provider), _show_progress)
    told = result.as_dict()
    if report is not None:
        _write(report, told)
    return Failed(told) if result.has_errors else told


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
