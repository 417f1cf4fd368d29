"""``user``: manual users, a look at all of them, and users in files."""

import itertools
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import click

from scimsvc.cli.options import enterprise_argument
from scimsvc.cli.output import PRINTED, progress, result_command, wants_json
from scimsvc.enterprises import manual_users, profiles, user_csv, user_files
from scimsvc.enterprises.enterprises import show_enterprise
from scimsvc.schemas.validation import without_none
from scimsvc.vocabulary import SOURCES

user_argument = click.argument("user")


@click.group()
def user() -> None:
    """Make, change and delete manual users, look at these and at provisioned ones, import and export.

    USER is a user's id or work e-mail address.
    """


def _fields(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options for what a user is made of, less the address."""
    options = (
        click.option("--user-name", help="The userName; of a new user else the e-mail address."),
        click.option("--given-name", help="The given name."),
        click.option("--family-name", help="The family name."),
        click.option("--phone", help="The work telephone number."),
        click.option("--title", help="The title."),
        click.option("--organization", help="The organization."),
        click.option("--role", help="A role by name or alias; of a new user else the default role."),
        click.option("--external-id", help="The provider's identifier."),
    )
    for option in reversed(options):
        function = option(function)
    return function


@result_command(user, "create", writes=True)
@enterprise_argument
@click.argument("address", metavar="[EMAIL]", required=False)
@click.option("--email", help="The work e-mail address, if it does not stand as an argument.")
@_fields
@click.option("--active/--inactive", default=True, show_default=True, help="Whether the user may work.")
def create(enterprise: str, address: str | None, email: str | None, **fields: Any) -> dict[str, Any]:
    """Make a manual user, who is found by Entra's match and taken over by its first change."""
    email = email or address
    if email is None:
        raise click.UsageError("an e-mail address is missing")
    return manual_users.create_manual_user(
        enterprise, without_none(**fields | {"email": email, "user_name": fields["user_name"] or email})
    )


@result_command(user, "update", writes=True)
@enterprise_argument
@user_argument
@click.option("--email", help="The work e-mail address.")
@_fields
@click.option("--active/--inactive", default=None, help="Whether the user may work.")
def update(enterprise: str, user: str, **fields: Any) -> dict[str, Any]:
    """Change a manual user; an empty value, as in --title "", takes one away, and --role "" gives the default role.

    A provisioned user is changed where it comes from; see edit-profile for title and organization.
    """
    return manual_users.update_manual_user(enterprise, user, _changes(fields, mandatory=("email", "user_name")))


@result_command(user, "edit-profile", writes=True)
@enterprise_argument
@user_argument
@click.option("--title", help="The title.")
@click.option("--organization", help="The organization.")
def edit_profile(enterprise: str, user: str, **fields: Any) -> dict[str, Any]:
    """Make a user's own edit of title and organization; an empty value takes one away.

    Provisioned users may do so too, unless their role restricts editing.
    """
    return profiles.edit_profile(enterprise, user, _changes(fields))


def _changes(fields: dict[str, Any], mandatory: tuple[str, ...] = ()) -> dict[str, Any]:
    changes = without_none(**fields)
    return {name: None if value == "" and name not in mandatory else value for name, value in changes.items()}


@result_command(user, "delete", writes=True)
@enterprise_argument
@user_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(enterprise: str, user: str, *, yes: bool) -> dict[str, Any]:
    """Delete a manual user, for good."""
    found = profiles.show_user(enterprise, user)
    if not yes and not click.confirm(f"Delete {found['email']} for good?", err=True):
        raise click.ClickException("nothing was deleted")
    return manual_users.delete_manual_user(enterprise, found["id"])


@result_command(user, "list")
@enterprise_argument
@click.option("--role", help="Those alone who have this role.")
@click.option("--active/--inactive", default=None, help="Those alone who may work, or may not.")
@click.option("--source", type=click.Choice(SOURCES), help="Those alone who came this way.")
@click.option("--external-id", help="Those alone whom the provider calls so.")
@click.option("--search", metavar="TEXT", help="Those alone with TEXT in e-mail address or userName.")
def list_(enterprise: str, **conditions: Any) -> list[dict[str, Any]]:
    """List the users by e-mail address."""
    return profiles.list_users(enterprise, **without_none(**conditions)).items


@result_command(user, "show")
@enterprise_argument
@user_argument
def show(enterprise: str, user: str) -> dict[str, Any]:
    """Show one user."""
    return profiles.show_user(enterprise, user)


@result_command(user, "import", writes=True)
@enterprise_argument
@click.argument("file", type=click.File("rb"))
def import_(enterprise: str, file: IO[bytes]) -> dict[str, Any]:
    """Make a manual user of each line of a CSV FILE (- is standard input), all or none.

    The first line names the columns: email, and any of user_name, given_name, family_name, phone, title, organization,
    role, external_id and active. Columns that user export writes beside these are ignored.
    """
    content = file.read()
    with progress("Importing") as advance:
        return {"imported": user_files.import_users(enterprise, content, progress=advance)}


CSV, JSON_LINES, JSON = "csv", "jsonl", "json"


@result_command(user, "export")
@enterprise_argument
@click.option("--format", "form", type=click.Choice([CSV, JSON_LINES]), help="csv unless said.")
@click.option("--output", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="Write to FILE.")
def export(enterprise: str, form: str | None, output: Path | None) -> Any:
    """Write all users, as CSV or as one JSON object a line.

    With --json and without --output they are one JSON array. In CSV a cell that a spreadsheet would take for a formula
    has an apostrophe before it, which user import takes off.
    """
    if output == Path("-"):
        output = None
    if output is None and wants_json():
        if form is not None:
            raise click.UsageError("--json without --output writes one JSON array; leave --format out")
        form = JSON
    show_enterprise(enterprise)  # refuses an unknown one before anything is written
    count = itertools.count()
    users = (user for user, _ in zip(user_files.export_users(enterprise), count, strict=False))
    with _opened(output) as file:
        file.writelines(_FORMS[form or CSV](users))
    return PRINTED if output is None else {"exported": next(count)}


def _as_csv(users: Iterator[dict[str, Any]]) -> Iterator[str]:
    yield user_csv.write_header()
    yield from map(user_csv.write_row, users)


def _as_json_lines(users: Iterator[dict[str, Any]]) -> Iterator[str]:
    for user in users:
        yield json.dumps(user, ensure_ascii=False) + "\n"


def _as_json(users: Iterator[dict[str, Any]]) -> Iterator[str]:
    before = "["
    for user in users:
        yield before + json.dumps(user, ensure_ascii=False)
        before = ",\n"
    yield "[]\n" if before == "[" else "]\n"


_FORMS: dict[str, Callable[[Iterator[dict[str, Any]]], Iterator[str]]] = {
    CSV: _as_csv,
    JSON_LINES: _as_json_lines,
    JSON: _as_json,
}


@contextmanager
def _opened(output: Path | None) -> Iterator[IO[str]]:
    """Open standard output, or a file that takes the place of ``output`` once everything is written."""
    if output is None:
        with click.open_file("-", "w", encoding="utf-8") as stream:
            yield stream
        return
    try:
        descriptor, name = tempfile.mkstemp(dir=output.parent, prefix=f".{output.name}.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
                yield file
            Path(name).replace(output)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise click.ClickException(f"{output} cannot be written: {error.strerror}") from None
