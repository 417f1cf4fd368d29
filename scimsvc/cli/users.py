"""``user``: manual users, and a look at all."""

from typing import Any

import click

from scimsvc.cli.output import enterprise_argument, result_command
from scimsvc.services import manual_users
from scimsvc.services.input import given


@click.group()
def user() -> None:
    """Make manual users, and look at these and at provisioned ones.

    USER is a user's id or work e-mail address.
    """


@result_command(user, "create")
@enterprise_argument
@click.argument("address", metavar="[EMAIL]", required=False)
@click.option("--email", help="The work e-mail address, if it does not stand as an argument.")
@click.option("--user-name", help="The userName; else the e-mail address.")
@click.option("--given-name", help="The given name.")
@click.option("--family-name", help="The family name.")
@click.option("--phone", help="The work telephone number.")
@click.option("--title", help="The title.")
@click.option("--organization", help="The organization.")
@click.option("--role", help="A role by name or alias; else the default role.")
@click.option("--external-id", help="The provider's identifier.")
@click.option("--active/--inactive", default=True, show_default=True, help="Whether the user may work.")
def create(enterprise: str, address: str | None, email: str | None, **fields: Any) -> dict[str, Any]:
    """Make a manual user, who is found by Entra's match and taken over by its first change."""
    email = email or address
    if email is None:
        raise click.UsageError("an e-mail address is missing")
    return manual_users.create_manual_user(
        enterprise, given(**fields | {"email": email, "user_name": fields["user_name"] or email})
    )


@result_command(user, "list")
@enterprise_argument
def list_(enterprise: str) -> list[dict[str, Any]]:
    """List the users by e-mail address."""
    return manual_users.list_users(enterprise).items


@result_command(user, "show")
@enterprise_argument
@click.argument("user")
def show(enterprise: str, user: str) -> dict[str, Any]:
    """Show one user."""
    return manual_users.show_user(enterprise, user)
