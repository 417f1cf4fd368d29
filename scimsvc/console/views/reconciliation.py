"""The blueprint of the comparison with an export of the directory. Neither the file nor the result is kept."""

import base64
import io
from collections.abc import Iterable
from typing import Any

from flask import request

from scimsvc.console.forms import optional_text, redisplay_on_error
from scimsvc.console.pages import Answer, enterprise_blueprint, enterprise_id, page
from scimsvc.errors import InvalidInput
from scimsvc.reconciliation.columns import CANDIDATES, parse_mapping
from scimsvc.reconciliation.comparing import Comparison, Options, compared
from scimsvc.reconciliation.report import write_csv
from scimsvc.web.downloads import long_work

reconciliation = enterprise_blueprint("reconciliation")

#: Bytes of a file. A request has at most 1 MiB.
MOST_BYTES = 900_000
#: Users of an enterprise that are compared while the browser waits.
MOST_USERS = 50_000
#: Findings of each kind that the page shows, and characters of the file with all of them.
SHOWN = 100
MOST_CHARACTERS = 2_000_000
_TITLES = {
    "missing": ("Missing here", "In the directory, but not here."),
    "not_in_directory": ("No longer in the directory", "Active here, but not in the file."),
    "state_differs": ("Different state", "Active on one side and disabled on the other."),
    "name_differs": ("Different name", ""),
    "address_differs": ("Different work address", ""),
    "role_differs": ("Different role", ""),
    "not_confirmed": ("Not confirmed", "Active, but not confirmed by the directory in this time."),
    "duplicate": ("Repeated in the file", "The line repeats an earlier one."),
    "invalid_line": ("Invalid lines", "These lines were not compared."),
    "manual": ("Manual users", "The directory does not manage these users. They do not count as differences."),
}


@reconciliation.get("/users/compare")
def ask() -> Answer:
    """Show the form for a file."""
    return _page(None)


@reconciliation.post("/users/compare")
@redisplay_on_error(ask)
def compare() -> Answer:
    """Compare the file with the users, and show the findings. Nothing is written but the audit entry."""
    content = _read_file()
    if not content:
        raise InvalidInput("Choose a file.", {"file": ["Choose a file that is not empty."]})
    if len(content) > MOST_BYTES:
        problem = f"The file has more than {MOST_BYTES:,} bytes."
        raise InvalidInput(problem, {"file": [f"{problem} Use the command 'scimsvc reconcile'."]})
    options = Options(parse_mapping((optional_text("columns") or "").split()), most_users=MOST_USERS)
    with (
        long_work(enterprise_id()) as check_time,
        compared(enterprise_id(), io.BytesIO(content), options, progress=check_time) as comparison,
    ):
        return _page(_shown(comparison))


def _read_file() -> bytes:
    """Return the file of the form, or a byte more than it may have."""
    file = request.files.get("file")
    return file.read(MOST_BYTES + 1) if file is not None else b""


def _shown(comparison: Comparison) -> dict[str, Any]:
    """Return the counts, the first findings of each kind, and all of them as CSV in Base64, or None if too many."""
    counts = comparison.summary["findings"]
    groups = [
        {"kind": kind, "number": number, "findings": list(comparison.findings(kind, SHOWN))}
        for kind, number in counts.items()
        if number
    ]
    text = _bounded(write_csv(comparison))
    encoded = base64.b64encode(text.encode()).decode() if text is not None else None
    return {"summary": comparison.summary, "groups": groups, "csv": encoded}


def _bounded(lines: Iterable[str]) -> str | None:
    parts, length = [], 0
    for line in lines:
        length += len(line)
        if length > MOST_CHARACTERS:
            return None
        parts.append(line)
    return "".join(parts)


def _page(result: dict[str, Any] | None) -> Answer:
    return page(
        "reconciliation.html",
        result=result,
        titles=_TITLES,
        attributes=list(CANDIDATES),
        shown=SHOWN,
        most_bytes=MOST_BYTES,
        most_users=MOST_USERS,
    )
