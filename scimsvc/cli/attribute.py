"""``attribute``: declare and remove the custom attributes of an enterprise."""

from typing import Any

import click

from scimsvc.cli.options import enterprise_argument
from scimsvc.cli.output import result_command
from scimsvc.cli.tables import View
from scimsvc.cli.values import cell
from scimsvc.enterprises import attributes
from scimsvc.protocol.custom_attributes import TYPES


@click.group()
def attribute() -> None:
    """Add, list and remove the custom attributes of users.

    NAME is a full name: the URN of an extension schema, a colon and the attribute, such as
    urn:ietf:params:scim:schemas:extension:Contoso:2.0:User:badge. Use the name of the target attribute in Entra.
    """


@result_command(attribute, "add", writes=True)
@enterprise_argument
@click.argument("name")
@click.option(
    "--type", "type_", type=click.Choice(TYPES), default=TYPES[0], show_default=True, help="Type of the values"
)
@click.option("--multi-valued", is_flag=True, help="Allow several values for each user")
@click.option("--case-exact", is_flag=True, help="Distinguish upper and lower case in filters")
def add(enterprise: str, name: str, type_: str, *, multi_valued: bool, case_exact: bool) -> dict[str, Any]:
    """Declare a custom attribute. Its values are stored from then on."""
    fields = {"name": name, "type": type_, "multi_valued": multi_valued, "case_exact": case_exact}
    return attributes.create_attribute(enterprise, fields)


_ATTRIBUTES = View("custom attributes", ("name", "type", "multi_valued", "case_exact", "removing"))


@result_command(attribute, "list", view=_ATTRIBUTES)
@enterprise_argument
def list_(enterprise: str) -> list[dict[str, Any]]:
    """List the custom attributes. removing marks one whose removal was interrupted: remove it again."""
    return attributes.list_attributes(enterprise)


@result_command(attribute, "remove", writes=True)
@enterprise_argument
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation")
def remove(enterprise: str, name: str, *, yes: bool) -> dict[str, Any]:
    """Remove a custom attribute and its values. NAME may be its ID.

    The removal does not stop other writes. If it is interrupted, the same command continues it.
    """
    found = attributes.show_attribute(enterprise, name)
    if not yes and not click.confirm(f"Remove {cell(found['name'])} and its values from all users?", err=True):
        raise click.ClickException("Nothing was removed.")
    return attributes.remove_attribute(enterprise, found["id"], seconds=None)
