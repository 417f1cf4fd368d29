"""``user``: manage manual users, list all users, and import and export users."""

import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import click

from scimsvc.cli.names import complete_roles
from scimsvc.cli.options import enterprise_argument
from scimsvc.cli.output import PRINTED, progress, result_command, wants_json
from scimsvc.cli.output_files import opened_output
from scimsvc.cli.printable import printable, write_json_line
from scimsvc.cli.tables import Row, View
from scimsvc.cli.values import cell
from scimsvc.enterprises import manual_users, profiles, user_csv, user_files
from scimsvc.operations.erasure.erasing import erase_person
from scimsvc.schemas.validation import without_none
from scimsvc.vocabulary import SOURCES

user_argument = click.argument("user")


@click.group()
def user() -> None:
    """Create, change and delete manual users; list, import, export and erase users.

    USER is the ID or work address of a user.
    """


def _fields(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options for the attributes of a user, except the work address."""
    options = (
        click.option("--user-name", help="userName (default for a new user: the work address)"),
        click.option("--given-name", help="Given name"),
        click.option("--family-name", help="Family name"),
        click.option("--phone", help="Work phone number"),
        click.option("--title", help="Title"),
        click.option("--organization", help="Organization"),
        click.option(
            "--role",
            help="Name or alias of a role (default for a new user: the default role)",
            shell_complete=complete_roles,
        ),
        click.option("--external-id", help="Identifier of the user at the identity provider"),
    )
    for option in reversed(options):
        function = option(function)
    return function


@result_command(user, "create", writes=True)
@enterprise_argument
@click.argument("address", metavar="[EMAIL]", required=False)
@click.option("--email", help="Work address, instead of EMAIL")
@_fields
@click.option("--active/--inactive", default=True, show_default=True, help="Whether the user is active")
def create(enterprise: str, address: str | None, email: str | None, **fields: Any) -> dict[str, Any]:
    """Create a manual user. Entra can match the user, and takes it over with its first change."""
    email = email or address
    if email is None:
        raise click.UsageError("The work address is missing. Pass it as EMAIL or with --email.")
    return manual_users.create_manual_user(
        enterprise, without_none(**fields | {"email": email, "user_name": fields["user_name"] or email})
    )


@result_command(user, "update", writes=True)
@enterprise_argument
@user_argument
@click.option("--email", help="Work address")
@_fields
@click.option("--active/--inactive", default=None, help="Whether the user is active")
def update(enterprise: str, user: str, **fields: Any) -> dict[str, Any]:
    """Change a manual user.

    An empty value, such as --title "", removes an attribute; --role "" sets the default role. Change provisioned users
    in their directory, or their title and organization with edit-profile.
    """
    return manual_users.update_manual_user(enterprise, user, _changes(fields, mandatory=("email", "user_name")))


@result_command(user, "edit-profile", writes=True)
@enterprise_argument
@user_argument
@click.option("--title", help="Title")
@click.option("--organization", help="Organization")
def edit_profile(enterprise: str, user: str, **fields: Any) -> dict[str, Any]:
    """Edit title and organization as the user can. An empty value removes the edit.

    This works for provisioned users too, unless their role restricts editing.
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
    """Delete a manual user permanently."""
    found = profiles.show_user(enterprise, user)
    if not yes and not click.confirm(f"Delete {cell(found['email'])} permanently?", err=True):
        raise click.ClickException("Nothing was deleted.")
    return manual_users.delete_manual_user(enterprise, found["id"])


@result_command(user, "erase", writes=True)
@enterprise_argument
@click.argument("person")
@click.option("--delete", is_flag=True, help="Also delete the user, if it is a manual user who still exists")
@click.option("--dry-run", is_flag=True, help="Only show how many entries would change")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation")
def erase(enterprise: str, person: str, *, delete: bool, dry_run: bool, yes: bool) -> dict[str, Any]:
    """Replace a person's names and addresses in the logs by a pseudonym. This cannot be undone.

    PERSON is the ID, work address, userName or externalId of a user who was deleted, or of someone whose requests were
    all refused. Entries stay, so that it can still be seen what happened.
    """
    if dry_run or not yes:
        counted = erase_person(enterprise, person, lambda _more, _of: None, delete=delete, only_count=True)
        if dry_run:
            return counted
        total = sum(counted["entries"].values())
        if not click.confirm(f"Erase {cell(person)} from {total:,} entries permanently?", err=True):
            raise click.ClickException("Nothing was erased.")
    with progress("Erasing") as advance:
        return erase_person(enterprise, person, advance, delete=delete)


def _with_status_and_name(row: Row) -> Row:
    names = filter(None, (row["given_name"], row["family_name"]))
    return row | {"status": "active" if row["active"] else "disabled", "name": " ".join(names) or None}


_USERS = View(
    "users",
    ("email", "name", "role", "status", "source", "modified_at", "id"),
    is_long=True,
    for_people=_with_status_and_name,
)


@result_command(user, "list", view=_USERS)
@enterprise_argument
@click.option("--role", help="Show only users with this role", shell_complete=complete_roles)
@click.option("--group", help="Show only members of this group, by ID or name")
@click.option("--active/--inactive", default=None, help="Show only active users, or only inactive users")
@click.option("--source", type=click.Choice(SOURCES), help="Show only users from this source")
@click.option("--external-id", help="Show only the user with this external ID")
@click.option("--search", metavar="TEXT", help="Show only users with TEXT in work address or userName")
def list_(enterprise: str, **conditions: Any) -> list[dict[str, Any]]:
    """List users, sorted by work address."""
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
    """Create a manual user from each line of a CSV FILE (- for standard input). Imports all lines or none.

    The first line names the columns: email, and any of user_name, given_name, family_name, phone, title, organization,
    role, external_id and active. Other columns that user export writes are ignored.
    """
    content = file.read()
    with progress("Importing") as advance:
        return {"imported": user_files.import_users(enterprise, content, progress=advance)}


CSV, JSON_LINES, JSON = "csv", "jsonl", "json"


@result_command(user, "export", has_formats=False)
@enterprise_argument
@click.option("--format", "form", type=click.Choice([CSV, JSON_LINES]), help="Format of the output (default: csv)")
@click.option(
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write to FILE instead of standard output",
)
def export(enterprise: str, form: str | None, output: Path | None) -> Any:
    """Write all users as CSV, or as JSON with one object on each line.

    With --json and without --output, the result is one JSON array. In CSV, an apostrophe is put before a cell that a
    spreadsheet would read as a formula; user import removes it. A terminal gets no control characters; a file has them.
    """
    if output == Path("-"):
        output = None
    if output is None and wants_json():
        if form is not None:
            raise click.UsageError("--json without --output writes one JSON array. Leave --format out.")
        form = JSON
    exported = user_files.export_users(enterprise)  # refuses an unknown enterprise before output begins
    count = itertools.count()
    users = (user for user, _ in zip(exported, count, strict=False))
    lines = _FORMS[form or CSV](users)
    if output is None and sys.stdout.isatty():
        lines = (printable(line, keep="\r\n") for line in lines)
    with opened_output(output) as file:
        file.writelines(lines)
    return PRINTED if output is None else {"exported": next(count)}


def _as_json_lines(users: Iterator[dict[str, Any]]) -> Iterator[str]:
    for user in users:
        yield write_json_line(user) + "\n"


def _as_json(users: Iterator[dict[str, Any]]) -> Iterator[str]:
    before = "["
    for user in users:
        yield before + write_json_line(user)
        before = ",\n"
    yield "[]\n" if before == "[" else "]\n"


_FORMS: dict[str, Callable[[Iterator[dict[str, Any]]], Iterator[str]]] = {
    CSV: user_csv.write_lines,
    JSON_LINES: _as_json_lines,
    JSON: _as_json,
}
