"""``check``: check the integrity and consistency of the database."""

import itertools
from typing import Any

from scimsvc.cli.output import Faulty, result_command
from scimsvc.operations import checks

#: Maximum number of faults to report. A longer list would not help to find the cause.
_MAX_FAULTS = 1000


@result_command(None, "check")
def check() -> dict[str, Any]:
    """Check the integrity of the database and the consistency of its rows. Exit status 1 means that it has faults."""
    faults = list(itertools.islice(checks.find_faults(), _MAX_FAULTS))
    if faults:
        raise Faulty({"sound": False, "faults": faults})
    return {"sound": True, "faults": faults, "rows": checks.count_rows()}
