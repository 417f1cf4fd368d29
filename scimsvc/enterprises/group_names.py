"""Require unique names of groups, or allow duplicates."""

from scimsvc.errors import Conflict
from scimsvc.protocol.errors import listed
from scimsvc.store.groups import list_duplicate_group_names, update_unique_group_names
from scimsvc.store.tenancy import Tenant


def switch_unique_group_name(tenant: Tenant, *, on: bool) -> None:
    """Fill or clear the column whose unique index forbids duplicate names of groups. Raises ``Conflict``."""
    if on:
        duplicates = list_duplicate_group_names(tenant.connection, tenant.id)
        if duplicates:
            names = listed(f"{row.name_key!r} ({row.groups} groups)" for row in duplicates)
            raise Conflict(
                f"Several groups in {tenant.row.name} have the same name: {names}. "
                "Rename or delete groups before you require unique names of groups."
            )
    update_unique_group_names(tenant.connection, tenant.id, unique=on)
