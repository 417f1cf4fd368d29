"""``explain``: show what a SCIM request would do."""

from collections.abc import Iterator
from typing import IO, Any

import click

from scimsvc.cli.options import enterprise_argument
from scimsvc.cli.output import result_command
from scimsvc.cli.tables import as_names, as_text
from scimsvc.cli.values import cell
from scimsvc.operations.serving.address import DEFAULT_HOST, DEFAULT_PORT
from scimsvc.paths import SCIM_PREFIX
from scimsvc.protocol.json_text import InvalidJSON, read_json, write_json
from scimsvc.scim.explain import explain as explain_request
from scimsvc.vocabulary import OK
from scimsvc.web.state import app_settings


def _text(told: dict[str, Any]) -> str:
    return "\n".join(_paragraphs(told))


@result_command(None, "explain", text=_text, needs_key=True)
@enterprise_argument
@click.argument("file", type=click.File("rb"))
def explain(enterprise: str, file: IO[bytes]) -> dict[str, Any]:
    """Show what the SCIM request in FILE (- for standard input) would do. Nothing is written.

    FILE contains a JSON object with method, path and optionally body: {"method": "PATCH", "path": "/Users/ID", "body":
    {…}}. The exit status is 0 for a request that would be refused, too.
    """
    limits = app_settings().limits
    try:
        given = read_json(file.read(), limits)
    except InvalidJSON as error:
        raise click.ClickException(f"{file.name} is not a valid SCIM request: it {error.fault}.") from None
    if not isinstance(given, dict):
        raise click.ClickException(
            f"{file.name} is not a valid SCIM request: write a JSON object with method, path and optionally body."
        )
    base = (app_settings().public_url or f"http://{DEFAULT_HOST}:{DEFAULT_PORT}") + SCIM_PREFIX
    return explain_request(enterprise, given, base=base)


def _paragraphs(told: dict[str, Any]) -> Iterator[str]:
    colour = "green" if told["outcome"] == OK else "red"
    kind = f" {told['scim_type']}" if told.get("scim_type") else ""
    yield f"would be {click.style(told['outcome'], fg=colour)}: {told['operation']}, {told['status']}{kind}"
    if told.get("detail"):
        yield f"  {cell(told['detail'])}"
    user, group = told["user"], told["group"]
    if group is not None:
        yield _labelled("matches", cell(f"group {group['name']}, {group['id']}, {group['members']} members"))
    else:
        yield _labelled("matches", _user(user) if user else "no existing user")
    if "groups" in told:
        yield _labelled("finds", cell([f"{each['name']}, {each['id']}" for each in told["groups"]]) or "no groups")
    if "users" in told:
        yield _labelled("finds", cell([_user(found) for found in told["users"]]) if told["users"] else "no users")
    for each in told.get("role_changes", []):
        yield _labelled("role of", cell(f"{each['email']}: {each['old_role']} to {each['role']}"))
    yield from _effect(told)
    for number, operation in enumerate(told.get("operations", []), 1):
        yield f"\noperation {number}: {operation['operation']}"
        yield from _effect(operation)


def _labelled(name: str, text: str) -> str:
    return f"{name.ljust(len('tolerances'))}  {text}"


def _user(user: dict[str, Any]) -> str:
    shown = [user["email"], *(f"{name} {cell(user[name])}" for name in ("source", "role") if name in user), user["id"]]
    return ", ".join(map(cell, shown))


def _effect(told: dict[str, Any]) -> Iterator[str]:
    if told["role"]:
        yield _labelled("role", f"{cell(told['role']['name'])}: {cell(told['role']['reason'])}")
    for name in ("tolerances", "ignored"):
        if told[name]:
            yield _labelled(name, cell(told[name]))
    for kept in told["kept"]:
        yield _labelled("kept", f"{cell(kept['attribute'])}: {cell(kept['detail'])}")
    if told["changes"]:
        yield "\nwould change:"
        yield as_text([_change(each) for each in told["changes"]])
    elif told["request"] is not None and told.get("outcome") == OK:
        yield _labelled("changes", "nothing")
    if told["request"] is not None:
        yield "\nunderstood as:"
        yield _request(told["request"])


def _change(change: dict[str, Any]) -> dict[str, Any]:
    effective = " (effective)" if change.get("effective") else ""
    before, after = (None if value is None else _value(value) for value in (change["before"], change["after"]))
    return {"attribute": change["attribute"] + effective, "before": before, "after": after}


def _value(value: Any) -> str:
    return value if isinstance(value, str) else write_json(value)


def _request(request: Any) -> str:
    if isinstance(request, list):
        return as_text([{**operation, "value": write_json(operation["value"])} for operation in request])
    return as_names({name: _value(value) for name, value in request.items()})
