"""Every SELECT, built once at import; they take their values as parameters."""

from typing import Any

from sqlalchemy import BindParameter, and_, bindparam, func, or_, select

from scimsvc.models import ClientSecret, Enterprise, Integration, Role, RoleName, Setting, Token, User

ENTERPRISE_ID: BindParameter[str] = bindparam("enterprise_id")
ID: BindParameter[str] = bindparam("id")
KEY: BindParameter[str] = bindparam("key")

SETTINGS = select(Setting.name, Setting.value)

#: What a request's access token stands for; see ``services.access``.
BEARER = (
    select(
        Token.revoked_at,
        Token.last_used_at,
        Integration.id.label("integration_id"),
        Integration.client_id,
        Integration.name.label("integration_name"),
        Integration.revoked_at.label("integration_revoked_at"),
        Enterprise.name.label("enterprise_name"),
        Enterprise.scim_enabled,
        Enterprise.reject_unknown_attributes,
        Enterprise.unique_user_name,
        Enterprise.role_revision,
        Role.name.label("default_role"),
    )
    .select_from(Token)
    .join(
        Integration,
        and_(Integration.enterprise_id == Token.enterprise_id, Integration.id == Token.integration_id),
    )
    .join(Enterprise, Enterprise.id == Token.enterprise_id)
    .join(Role, and_(Role.enterprise_id == Token.enterprise_id, Role.is_default))
    .where(Token.enterprise_id == ENTERPRISE_ID, Token.id == ID)
)

CLIENT_SECRETS = (
    select(
        Integration.enterprise_id,
        Integration.id.label("integration_id"),
        Integration.client_id,
        Enterprise.scim_enabled,
        Enterprise.name.label("enterprise_name"),
        ClientSecret.digest,
    )
    .join(Enterprise, Enterprise.id == Integration.enterprise_id)
    .join(
        ClientSecret,
        and_(
            ClientSecret.enterprise_id == Integration.enterprise_id,
            ClientSecret.integration_id == Integration.id,
            or_(ClientSecret.expires_at.is_(None), ClientSecret.expires_at > bindparam("now")),
        ),
    )
    .where(Integration.client_id == bindparam("client_id"), Integration.revoked_at.is_(None))
)

ENTERPRISES = (
    select(Enterprise, Role.id.label("default_role_id"), Role.name.label("default_role"))
    .join(Role, and_(Role.enterprise_id == Enterprise.id, Role.is_default))
    .order_by(Enterprise.created_at, Enterprise.id)
)
ENTERPRISE = ENTERPRISES.where(or_(Enterprise.id == ID, Enterprise.name_key == KEY))
#: The enterprise's row, locked against others that would change it or what depends on it.
ENTERPRISE_LOCK = select(Enterprise.id).where(Enterprise.id == ENTERPRISE_ID).with_for_update()
#: What decides over a write to a user, held until its end where the database locks rows.
ENTERPRISE_FLAGS = select(Enterprise.unique_user_name).where(Enterprise.id == ENTERPRISE_ID).with_for_update(read=True)

ROLES = (
    select(
        Role,
        select(func.count())
        .where(
            User.enterprise_id == Role.enterprise_id,
            or_(User.role_id == Role.id, and_(Role.is_default, User.role_id.is_(None))),
        )
        .scalar_subquery()
        .label("users"),
    )
    .where(Role.enterprise_id == ENTERPRISE_ID)
    .order_by(Role.name)
)
ROLE_NAMES = select(RoleName).where(RoleName.enterprise_id == ENTERPRISE_ID).order_by(RoleName.name)
ROLES_BY_NAME = (
    select(RoleName.name_key, Role.id, Role.name, Role.is_default, Role.restrict_editing)
    .join(Role, and_(Role.enterprise_id == RoleName.enterprise_id, Role.id == RoleName.role_id))
    .where(RoleName.enterprise_id == ENTERPRISE_ID)
)

ROLE_OF_NAME = (
    select(Role.name)
    .join(RoleName, and_(RoleName.enterprise_id == Role.enterprise_id, RoleName.role_id == Role.id))
    .where(Role.enterprise_id == ENTERPRISE_ID, RoleName.name_key == KEY)
)

INTEGRATIONS = (
    select(Integration)
    .where(Integration.enterprise_id == ENTERPRISE_ID, Integration.revoked_at.is_(None))
    .order_by(Integration.created_at, Integration.id)
)
TOKENS = (
    select(Token, Integration.client_id, Enterprise.name.label("enterprise"))
    .join(
        Integration,
        and_(Integration.enterprise_id == Token.enterprise_id, Integration.id == Token.integration_id),
    )
    .join(Enterprise, Enterprise.id == Token.enterprise_id)
    .order_by(Token.issued_at, Token.id)
)

#: The columns of a user's representation; see ``store.representations.UserRow``.
REPRESENTED: tuple[Any, ...] = (User.id, User.document, User.role_id, User.version, User.created_at, User.modified_at)
USER = select(*REPRESENTED).where(User.enterprise_id == ENTERPRISE_ID, User.id == ID)
#: A user about to change, with the row locked where the database locks rows.
USER_FOR_UPDATE = (
    select(*REPRESENTED, User.source, User.title, User.organization)
    .where(User.enterprise_id == ENTERPRISE_ID, User.id == ID)
    .with_for_update()
)
USERS = select(*REPRESENTED).where(User.enterprise_id == ENTERPRISE_ID)
USERS_COUNT = select(func.count()).select_from(User).where(User.enterprise_id == ENTERPRISE_ID)
DUPLICATE_USER_NAMES = (
    select(User.user_name_key, func.count().label("users"))
    .where(User.enterprise_id == ENTERPRISE_ID)
    .group_by(User.user_name_key)
    .having(func.count() > 1)
    .order_by(User.user_name_key)
    .limit(20)
)
#: Users as the commands and the enterprise API show them.
PROFILES = (
    select(User, func.coalesce(Role.name, bindparam("default_role")).label("role"))
    .outerjoin(Role, and_(Role.enterprise_id == User.enterprise_id, Role.id == User.role_id))
    .where(User.enterprise_id == ENTERPRISE_ID)
    .order_by(User.email_key)
)
PROFILE = PROFILES.where(or_(User.id == ID, User.email_key == KEY))
