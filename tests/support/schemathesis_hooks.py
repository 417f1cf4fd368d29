"""What schemathesis cannot know from the description: which names, cursors and versions there are.

Loaded by the ``schemathesis`` command. Only requests that are to be taken are touched; the wrong ones go as they are.
"""

import os
from typing import Any

import schemathesis

#: The integration and the token of the run itself, without which it could ask for nothing more.
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
    for name in ("cursor", "after", "role"):
        case.query.pop(name, None)
    case.query = {name: _assigned(value) for name, value in case.query.items()}
    if "If-Match" in case.headers:
        case.headers["If-Match"] = "*"
    if isinstance(case.body, dict):
        # A role may be left to the default; whose token it is, to the first integration.
        case.body = {name: _assigned(value) for name, value in case.body.items() if name not in _NAMES}


_NAMES = ("role", "default_role", "client_id")


def _assigned(value: Any) -> Any:
    r"""Return ``value`` with characters that are in Unicode, which schemathesis's reading of ``\p{C}`` leaves out."""
    if isinstance(value, str):
        return "".join(c if c.isprintable() else "x" for c in value)
    return [_assigned(each) for each in value] if isinstance(value, list) else value
