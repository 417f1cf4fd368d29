"""The names and aliases of roles."""

from collections.abc import Sequence

from scimsvc.errors import Conflict, NoSuchThing
from scimsvc.protocol.attributes import fold
from scimsvc.store import roles as store
from scimsvc.store.roles import NameTaken, RoleRow
from scimsvc.store.tenancy import Tenant
from scimsvc.web.quotas import quotas


def change_names(
    tenant: Tenant, role: RoleRow, name: str, *, only: Sequence[str] | None, add: Sequence[str], remove: Sequence[str]
) -> None:
    """Rename the role to ``name``, and change its aliases: ``only`` these if it is not None, then more and fewer.

    Raises ``NoSuchThing`` or ``Conflict``.
    """
    aliases = _aliases(tenant, role.id)
    wanted = set(map(fold, aliases if only is None else only))
    for alias in [*remove, *(each for each in aliases if fold(each) not in wanted)]:
        _delete_alias(tenant, role, alias)
    if name != role.name:
        _rename(tenant, role, name)
    present = {fold(alias) for alias in _aliases(tenant, role.id)}
    new = [*add, *(each for each in only or () if fold(each) not in present)]
    quotas.current.claim_aliases(len(present), len(new))
    for alias in new:
        insert_alias(tenant, role.id, alias)


def _rename(tenant: Tenant, role: RoleRow, name: str) -> None:
    try:
        store.update_role_name(tenant.connection, tenant.id, role, name)
    except NameTaken as error:
        raise name_conflict(name, error.role, "name") from None


def insert_alias(tenant: Tenant, role_id: str, alias: str) -> None:
    """Insert an alias of the role; raises ``Conflict``."""
    try:
        store.insert_alias(tenant.connection, tenant.id, role_id, alias)
    except NameTaken as error:
        raise name_conflict(alias, error.role, "aliases") from None


def _delete_alias(tenant: Tenant, role: RoleRow, alias: str) -> None:
    if not store.delete_alias(tenant.connection, tenant.id, role.id, alias):
        raise NoSuchThing(f"Role {role.name!r} has no alias {alias!r}. Check the aliases of the role.")


def name_conflict(name: str, role: str, field: str) -> Conflict:
    """Return the error for a ``name`` that ``role`` has, entered in ``field``."""
    problem = f"{name!r} is already a name or alias of the role {role!r}"
    return Conflict(f"{problem}. Choose another name.", {field: [problem]})


def _aliases(tenant: Tenant, role_id: str) -> list[str]:
    rows = store.list_role_names(tenant.connection, tenant.id)
    return [row.name for row in rows if row.role_id == role_id and row.is_alias]
