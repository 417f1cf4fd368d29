"""``check``: whether the database is sound."""

import itertools
from typing import Any

from scimsvc.cli.output import Faulty, result_command
from scimsvc.operations import checks

#: How many faults are named; more would say no more.
_MAX_FAULTS = 1000


@result_command(None, "check")
def check() -> dict[str, Any]:
    """Check the database's integrity, and that what is stored fits together; exit status 1 where it does not."""
    faults = list(itertools.islice(checks.find_faults(), _MAX_FAULTS))
    if faults:
        raise Faulty({"sound": False, "faults": faults})
    return {"sound": True, "faults": faults, "rows": checks.count_rows()}
