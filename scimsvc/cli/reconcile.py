"""``reconcile``: compare an export of the directory with the users of an enterprise."""

import os
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import click

from scimsvc import clock
from scimsvc.cli.formats import CSV, JSON
from scimsvc.cli.options import Moment, enterprise_argument
from scimsvc.cli.output import PRINTED, echo, output_form, progress, result_command
from scimsvc.cli.output_files import opened_output
from scimsvc.cli.printable import printable
from scimsvc.cli.tables import View, as_text
from scimsvc.reconciliation.columns import parse_mapping
from scimsvc.reconciliation.comparing import Comparison, Options, compared
from scimsvc.reconciliation.decoding import ENCODINGS
from scimsvc.reconciliation.report import FORMS, write_csv, write_json_report

#: The findings of each kind that the table has without --limit.
_SHOWN = 10
_FILE = "file"
_FINDINGS = View("findings", ("finding", "user_name", "email", "attribute", "directory", "here", "line", "detail"))


class _MomentOrFile(Moment):
    """A moment, or the word ``file`` for the time of the file."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the moment that ``value`` names, or ``file``. Raises ``BadParameter``."""
        return value if value == _FILE else super().convert(value, param, ctx)


@result_command(None, "reconcile")
@enterprise_argument
@click.argument("file", type=click.File("rb"))
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="ATTRIBUTE=COLUMN",
    help="Read externalId, userName, email, active, givenName, familyName, displayName or role from this column",
)
@click.option(
    "--encoding", type=click.Choice(ENCODINGS), help="Encoding of FILE (default: UTF-8, or UTF-16 as Excel writes it)"
)
@click.option(
    "--confirmed-since",
    type=_MomentOrFile(),
    metavar="TIME",
    help="Report active users whom the directory did not confirm since TIME: 7d, yesterday, a date, RFC 3339, or "
    "'file' for the time of FILE",
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=_SHOWN,
    show_default=True,
    metavar="N",
    help="Maximum number of findings of each kind in the table",
)
@click.option(
    "--report",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write all findings to FILE, by its ending as .csv, .json or .jsonl",
)
@click.option("--fail-on-difference", is_flag=True, help="Exit with status 1 if a difference exists")
def reconcile(
    enterprise: str, *, file: IO[bytes], columns: tuple[str, ...], encoding: str | None, confirmed_since: Any,
    limit: int, report: Path | None, fail_on_difference: bool,
) -> Any:  # fmt: skip
    """Compare the directory export FILE (- for standard input) with the users of an enterprise. Nothing is changed.

    FILE is Entra's download of users or of group members, pages of Microsoft Graph as JSON, Okta's CSV, or any CSV or
    JSON with the names of SCIM attributes. Users are matched by external ID, then userName, then work address. The
    table has the first findings of each kind; --format csv, --format json and --report have all.
    """
    if report is not None and report.suffix.lower() not in FORMS:
        raise click.UsageError(f"--report {report} has an unknown ending. Use .csv, .json or .jsonl.")
    since = _time_of(file) if confirmed_since == _FILE else confirmed_since
    options = Options(parse_mapping(columns), encoding, None if since is None else clock.timestamp(since))
    with progress("Comparing") as advance, compared(enterprise, file, options, progress=advance) as comparison:
        if report is not None:
            with opened_output(report) as stream:
                stream.writelines(FORMS[report.suffix.lower()](comparison))
        _print(comparison, limit)
        differs = comparison.differences > 0
    if differs and fail_on_difference:
        raise click.exceptions.Exit(1)
    return PRINTED


def _time_of(file: IO[bytes]) -> datetime:
    """Return when ``file`` was changed last; raises ``UsageError`` for standard input."""
    try:
        return datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC)
    except OSError:
        raise click.UsageError("--confirmed-since file needs a file. Standard input has no time.") from None


def _print(comparison: Comparison, limit: int) -> None:
    form = output_form()
    if form == CSV:
        _print_lines(write_csv(comparison))
    elif form == JSON:
        _print_lines(write_json_report(comparison))
    else:
        echo("\n\n".join(_paragraphs(comparison, limit)))


def _print_lines(lines: Iterable[str]) -> None:
    if sys.stdout.isatty():
        lines = (printable(line, keep="\r\n") for line in lines)
    with opened_output(None) as stream:
        stream.writelines(lines)


def _paragraphs(comparison: Comparison, limit: int) -> Iterator[str]:
    summary = dict(comparison.summary)
    findings = summary.pop("findings")
    columns = [f"{attribute}={column}" for attribute, column in summary.pop("columns").items()]
    yield as_text(summary | {"columns": columns} | findings)
    for kind, number in findings.items():
        if number:
            rows = [finding._asdict() for finding in comparison.findings(kind, limit)]
            yield as_text(rows, _FINDINGS, total=number)
