"""Give schemathesis values that the API description does not contain: names, cursors and versions.

The ``schemathesis`` command loads this module. It changes only requests that should succeed, not the invalid ones.
"""

import os
from typing import Any

import schemathesis

#: The integration and the token of this run, which must not be revoked during the run.
OWN = {name: os.environ.get(f"OWN_{name.upper()}") for name in ("integration_id", "token_id")}
NOBODYS = "00000000-0000-4000-8000-000000000000"


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    for name, own in OWN.items():
        if case.method == "DELETE" and own == (case.path_parameters or {}).get(name):
            case.path_parameters[name] = NOBODYS
    if case.meta is not None and case.meta.generation.mode.is_positive:
        _name_what_there_is(case)


def _name_what_there_is(case: Any) -> None:
    for name in ("cursor", "after", "role", "group"):
        case.query.pop(name, None)
    case.query = {name: _assigned(value) for name, value in case.query.items()}
    if "If-Match" in case.headers:
        case.headers["If-Match"] = "*"
    if isinstance(case.body, dict) and "cursor" in case.body:
        case.body = {"since": "2026-11-01T00:00:00Z"}
    if isinstance(case.body, dict):
        # Role and integration have defaults.
        case.body = {name: _assigned(value) for name, value in case.body.items() if name not in _NAMES}


_NAMES = ("role", "default_role", "client_id")


def _assigned(value: Any) -> Any:
    r"""Return ``value`` with unassigned characters replaced; schemathesis does not exclude them by ``\p{C}``."""
    if isinstance(value, str):
        return "".join(c if c.isprintable() else "x" for c in value)
    return [_assigned(each) for each in value] if isinstance(value, list) else value
