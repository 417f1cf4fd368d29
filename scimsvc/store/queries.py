"""Every SELECT, built once at import; they take their values as parameters. What is asked all day is prepared."""

from sqlalchemy import (
    BindParameter,
    and_,
    bindparam,
    func,
    or_,
    select,
)

from scimsvc.models import (
    Admin,
    ClientSecret,
    Enterprise,
    Integration,
    Role,
    Setting,
    Token,
)
from scimsvc.store.fast.prepared import Prepared

ENTERPRISE_ID: BindParameter[str] = bindparam("enterprise_id")
ID: BindParameter[str] = bindparam("id")
KEY: BindParameter[str] = bindparam("key")

SETTINGS = select(Setting.name, Setting.value)

#: What a request's access token stands for; see ``services.access``.
BEARER = Prepared(
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
    )
    .select_from(Token)
    .join(
        Integration,
        and_(Integration.enterprise_id == Token.enterprise_id, Integration.id == Token.integration_id),
    )
    .join(Enterprise, Enterprise.id == Token.enterprise_id)
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
    select(
        Enterprise,
        Role.id.label("default_role_id"),
        Role.name.label("default_role"),
        Role.restrict_editing.label("default_restricts"),
    )
    .join(Role, and_(Role.enterprise_id == Enterprise.id, Role.is_default))
    .order_by(Enterprise.created_at, Enterprise.id)
)
ENTERPRISE = ENTERPRISES.where(or_(Enterprise.id == ID, Enterprise.name_key == KEY))
#: The enterprise's row, locked against others that would change it or what depends on it.
ENTERPRISE_LOCK = select(Enterprise.id).where(Enterprise.id == ENTERPRISE_ID).with_for_update()
ENTERPRISE_SHARE = select(Enterprise.id).where(Enterprise.id == ENTERPRISE_ID).with_for_update(read=True)
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

#: When each enterprise's next SCIM token expires, of those that are good still.
NEXT_SCIM_EXPIRY = (
    select(Token.enterprise_id, func.min(Token.expires_at).label("expires_at"))
    .join(Integration, and_(Integration.enterprise_id == Token.enterprise_id, Integration.id == Token.integration_id))
    .where(
        Token.scope == "scim",
        Token.revoked_at.is_(None),
        Integration.revoked_at.is_(None),
        Token.expires_at > bindparam("now"),
    )
    .group_by(Token.enterprise_id)
)

#: The console's accounts, with the name of the enterprise that one is bound to.
ADMINS = (
    select(Admin, Enterprise.name.label("enterprise"))
    .outerjoin(Enterprise, Enterprise.id == Admin.enterprise_id)
    .order_by(Admin.email_key)
)
ADMIN = ADMINS.where(Admin.id == ID)
ADMIN_BY_EMAIL = ADMINS.where(Admin.email_key == KEY)
ADMIN_BY_LINK = ADMINS.where(Admin.link_digest == bindparam("digest"), Admin.link_expires_at > bindparam("now"))
#: The row of an administrator whose link was not used up since it was read.
LINKED_ADMIN = and_(Admin.id == bindparam("own_id"), Admin.link_digest == bindparam("own_digest"))

#: When the provider was last let in, be it to read.
LAST_SCIM_USE = select(func.max(Token.last_used_at)).where(Token.enterprise_id == ENTERPRISE_ID, Token.scope == "scim")
#: The SCIM tokens that are good still, the next to expire first.
GOOD_SCIM_TOKENS = (
    TOKENS.where(
        Token.enterprise_id == ENTERPRISE_ID,
        Token.scope == "scim",
        Token.revoked_at.is_(None),
        Integration.revoked_at.is_(None),
        Token.expires_at > bindparam("now"),
    )
    .order_by(None)
    .order_by(Token.expires_at, Token.id)
)
#: When each client was last let in.
CLIENTS_LAST_USED = select(Integration.client_id, Integration.last_used_at).where(
    Integration.enterprise_id == ENTERPRISE_ID
)
