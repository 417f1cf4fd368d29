"""``check``: check the integrity and consistency of the database."""

import itertools
from typing import Any

from scimsvc.auth.signing_keys import why_no_key_fits
from scimsvc.auth.state import token_signer
from scimsvc.cli.output import Faulty, result_command, warn
from scimsvc.cli.tables import as_text
from scimsvc.cli.terminal import terminal_width
from scimsvc.cli.values import cell
from scimsvc.notifications.alerts.integrity import note_faults
from scimsvc.operations import checks, growth
from scimsvc.store.engine.outages import DATABASE_ERRORS, describe_outage

#: Maximum number of faults to report. A longer list would not help to find the cause.
_MAX_FAULTS = 1000


def _text(result: dict[str, Any]) -> str:
    """Print the warnings on standard error, and return the rest."""
    for warning in result["warnings"]:
        warn(cell(warning))
    shown = {name: value for name, value in result.items() if name != "warnings"}
    return as_text(
        shown if terminal_width() is None else {name: _without_zeros(value) for name, value in shown.items()}
    )


def _without_zeros(value: Any) -> Any:
    return {name: count for name, count in value.items() if count} if isinstance(value, dict) else value


@result_command(None, "check", text=_text)
def check() -> dict[str, Any]:
    """Check the integrity of the database and the consistency of its rows. Exit status 1 means that it has faults.

    Operators get an alert about faults, until a check finds none.

    Warnings tell if no configured secret key fits the database, and name what grows without end: rows that pruning
    should have deleted, quotas that are nearly used, copies from before upgrades, and unused space in the file. They do
    not change the exit status.
    """
    faults = list(itertools.islice(checks.find_faults(), _MAX_FAULTS))
    _note(faults)
    if faults:
        raise Faulty({"sound": False, "faults": faults})
    overdue, misfit = growth.count_overdue(), why_no_key_fits(token_signer.current)
    return {
        "sound": True,
        "faults": faults,
        "rows": checks.count_rows(),
        "overdue": overdue,
        "warnings": [*filter(None, [misfit]), *growth.list_warnings(overdue)],
    }


def _note(faults: list[str]) -> None:
    """Raise or end the alert about faults. A damaged database may not be able to store it."""
    try:
        note_faults(faults)
    except DATABASE_ERRORS as error:
        warn(f"No alert could be stored: {describe_outage(error)}")
