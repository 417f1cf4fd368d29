"""Read users for the commands, the enterprise API and the console."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, or_, select

from scimsvc.models import GroupMember, Role, User
from scimsvc.protocol.attributes import fold
from scimsvc.protocol.users import work_address
from scimsvc.store.engine.statements import Query
from scimsvc.store.filters.search_functions import SEARCH_FUNCTIONS
from scimsvc.store.page_queries import PageQuery, cut_page
from scimsvc.store.representations import directory_values, read_document
from scimsvc.store.tenancy import Tenant
from scimsvc.store.users import ENTERPRISE_ID, HELD_ROLE_ID, ID, KEY, REPRESENTED, has_role, read_whole
from scimsvc.vocabulary import DEFAULT, FROM_GROUP, PROVISIONED, SENT


class Profile(NamedTuple):
    """A user for the commands, the enterprise API and the console.

    For a user with the default role, ``role`` is the name of the default role and ``restricts`` is None.
    """

    id: str
    document: str
    role_id: str | None
    version: int
    created_at: str
    modified_at: str
    group_role: str | None
    source: str
    revision: int
    title: str | None
    organization: str | None
    group_role_id: str | None
    email_key: str
    active: bool
    external_id: str | None
    changed_at: str
    role: str
    restricts: bool | None


def role_source(row: Profile) -> str:
    """Return why the user has the role: it was sent or assigned, groups give it, or it is the default role."""
    if row.role_id is not None:
        return SENT
    return DEFAULT if row.group_role_id is None else FROM_GROUP


def profile_view(row: Profile) -> dict[str, Any]:
    """Return the view of a user for the enterprise API and the commands (contract section 8, ``/users``)."""
    user = read_document(row)
    name = user.get("name", {})
    title, organization = directory_values(user)
    return {
        "id": row.id,
        "email": work_address(user),
        "user_name": user["userName"],
        "given_name": name.get("givenName"),
        "family_name": name.get("familyName"),
        "phone": next(
            (each["value"] for each in user.get("phoneNumbers", []) if fold(each.get("type", "")) == "work"), None
        ),
        "title": row.title,
        "organization": row.organization,
        "directory": {"title": title, "organization": organization} if row.source == PROVISIONED else None,
        "role": row.role,
        "role_source": role_source(row),
        "active": row.active,
        "source": row.source,
        "external_id": row.external_id,
        "created_at": row.created_at,
        "modified_at": row.changed_at,
        "version": row.revision,
    }


#: Selects a ``Profile`` for each user of an enterprise.
PROFILES = (
    select(
        *REPRESENTED,
        User.source,
        User.revision,
        User.title,
        User.organization,
        User.group_role_id,
        User.email_key,
        User.active,
        User.external_id,
        User.changed_at,
        func.coalesce(Role.name, bindparam("default_role")).label("role"),
        Role.restrict_editing.label("restricts"),
    )
    .outerjoin(Role, and_(Role.enterprise_id == User.enterprise_id, Role.id == HELD_ROLE_ID))
    .where(User.enterprise_id == ENTERPRISE_ID)
)
_PROFILE = PROFILES.where(or_(User.id == ID, User.email_key == KEY))
# Without an order, because SQLite would read all users by address to sort them.
PROFILE = Query(_PROFILE, Profile)
PROFILE_FOR_UPDATE = Query(_PROFILE.with_for_update(of=User), Profile)


def find_profile(tenant: Tenant, reference: str) -> Profile | None:
    """Return the user with the ID or the work e-mail address ``reference``."""
    return PROFILE.first(tenant.connection, _reference_parameters(tenant, reference))


def lock_profile(tenant: Tenant, reference: str) -> Profile | None:
    """Lock the user until the end of the transaction, and return it."""
    parameters = _reference_parameters(tenant, reference)
    return read_whole(lambda: PROFILE_FOR_UPDATE.first(tenant.connection, parameters))


class _Count(NamedTuple):
    users: int


class _Id(NamedTuple):
    id: str


def list_ids_with_member(tenant: Tenant, names: tuple[str, ...], *, after: str, limit: int) -> list[str]:
    """Return the IDs after ``after``, in order, of users whose document has a value at the path ``names``."""
    statement = (
        select(User.id)
        .where(User.enterprise_id == ENTERPRISE_ID, User.id > after, _has_member(tenant, names))
        .order_by(User.id)
        .limit(limit)
    )
    return [row.id for row in Query(statement, _Id, dynamic=True).all(tenant.connection, {"enterprise_id": tenant.id})]


def count_users_with_member(tenant: Tenant, names: tuple[str, ...]) -> int:
    """Return the number of users whose document has a value at the path ``names``."""
    statement = select(func.count().label("users")).where(
        User.enterprise_id == ENTERPRISE_ID, _has_member(tenant, names)
    )
    return Query(statement, _Count, dynamic=True).all(tenant.connection, {"enterprise_id": tenant.id})[0].users


def lock_profiles_with_member(tenant: Tenant, names: tuple[str, ...], user_ids: Sequence[str]) -> list[Profile]:
    """Lock those of the users ``user_ids`` whose document has a value at the path ``names``, and return them."""
    conditions = (User.id.in_(user_ids), _has_member(tenant, names))
    statement = PROFILES.where(*conditions).order_by(User.id).with_for_update(of=User)
    rows = Query(statement, Profile, dynamic=True).all(tenant.connection, tenant_parameters(tenant))
    # See ``read_whole``: PostgreSQL may have read the role of a row before it waited for the row.
    whole = (row if row.role_id is None or row.restricts is not None else lock_profile(tenant, row.id) for row in rows)
    return [row for row in whole if row is not None]


def _has_member(tenant: Tenant, names: tuple[str, ...]) -> ColumnElement[bool]:
    functions = SEARCH_FUNCTIONS[tenant.connection.dialect.name]
    return functions.member(User.search.expression, names).is_not(None)


def _reference_parameters(tenant: Tenant, reference: str) -> dict[str, str]:
    return tenant_parameters(tenant) | {"id": reference, "key": fold(reference)}


def tenant_parameters(tenant: Tenant) -> dict[str, str]:
    """Return the parameters of ``PROFILES``."""
    return {"enterprise_id": tenant.id, "default_role": tenant.row.default_role}


@dataclass(frozen=True, slots=True)
class ProfileFilter:
    """Conditions for users. None means no condition.

    ``search`` is part of the e-mail address or of the userName, ignoring case. With ``or_on_default``, ``role_id`` also
    includes users with the default role.
    """

    role_id: str | None = None
    group_id: str | None = None
    or_on_default: bool = False
    active: bool | None = None
    source: str | None = None
    email: str | None = None
    external_id: str | None = None
    search: str | None = None


def list_profiles(tenant: Tenant, condition: ProfileFilter) -> list[Profile]:
    """Return all users that meet ``condition``, ordered by folded e-mail address."""
    query = Query(_ordered(condition), Profile, dynamic=True)
    return query.all(tenant.connection, tenant_parameters(tenant))


def read_page(
    tenant: Tenant, condition: ProfileFilter, *, after: str | None, limit: int
) -> tuple[Sequence[Profile], bool]:
    """Return a page of the users that meet ``condition``, ordered by folded e-mail address.

    The page begins after the address ``after``. The second result is whether another page follows.
    """
    statement = _ordered(condition).limit(limit + 1)
    if after is not None:
        statement = statement.where(User.email_key > after)
    query = PageQuery(statement, Profile, dynamic=True)
    return cut_page(query.all(tenant.connection, tenant_parameters(tenant)), limit)


def _ordered(condition: ProfileFilter) -> Select[Any]:
    return PROFILES.where(*_conditions(condition)).order_by(User.email_key)


def _conditions(wanted: ProfileFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.role_id is not None:
        yield has_role(wanted.role_id, or_on_default=wanted.or_on_default)
    if wanted.group_id is not None:
        members = select(GroupMember.user_id).where(
            GroupMember.enterprise_id == ENTERPRISE_ID, GroupMember.group_id == wanted.group_id
        )
        yield User.id.in_(members)
    if wanted.active is not None:
        yield User.active == wanted.active
    if wanted.source is not None:
        yield User.source == wanted.source
    if wanted.email is not None:
        yield User.email_key == fold(wanted.email)
    if wanted.external_id is not None:
        yield User.external_id == wanted.external_id
    if wanted.search is not None:
        part = fold(wanted.search)
        yield or_(User.email_key.contains(part, autoescape=True), User.user_name_key.contains(part, autoescape=True))
