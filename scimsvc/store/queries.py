"""Every SELECT, built once at import; they take their values as parameters. What is asked all day is prepared."""

from typing import TypeVar

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Integer,
    and_,
    bindparam,
    distinct,
    func,
    literal_column,
    or_,
    select,
    text,
)
from sqlalchemy.orm import InstrumentedAttribute, aliased
from sqlalchemy.sql.selectable import HasHints

from scimsvc.models import (
    IS_REFUSED,
    IS_REMOVAL,
    Admin,
    Change,
    ClientSecret,
    Enterprise,
    Integration,
    LogEntry,
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
AnySelect = TypeVar("AnySelect", bound=HasHints)


def by_refusals(statement: AnySelect) -> AnySelect:
    """Return ``statement``, of refused entries, with the hint to SQLite that their index is the shorter way."""
    return statement.with_hint(LogEntry, "INDEXED BY log_refused", "sqlite")


#: The last refusals of writes whose role value, folded, named no role.
REFUSED_FOR_ROLE = (
    by_refusals(select(LogEntry.email, LogEntry.user_id, LogEntry.time))
    .where(LogEntry.enterprise_id == ENTERPRISE_ID, IS_REFUSED, LogEntry.role_key == KEY)
    .order_by(LogEntry.id.desc())
    .limit(bindparam("limit"))
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

#: Serializes what is added to the feed of the enterprise ``feed`` on PostgreSQL; SQLite has one writer.
HOLDING_FEED = func.pg_advisory_xact_lock(func.hashtextextended(bindparam("feed"), literal_column("7246201"))).label(
    "held"
)
FEED_LOCK = select(HOLDING_FEED)


def last_change(column: InstrumentedAttribute[int]) -> ColumnElement[int]:
    """Return ``column`` of the newest entry of the feed of the enterprise ``feed``, null where it is empty."""
    newest = select(column).where(Change.enterprise_id == bindparam("feed"))
    return newest.order_by(Change.number.desc()).limit(1).scalar_subquery()


#: By how much a change alters the number of users.
DIFFERENCE: BindParameter[int] = bindparam("difference", type_=Integer)
LAST_CHANGE = (
    select(Change.number, Change.users)
    .where(Change.enterprise_id == ENTERPRISE_ID)
    .order_by(Change.number.desc())
    .limit(1)
)
_TOTAL = LAST_CHANGE.with_only_columns(Change.users)
USERS_TOTAL = Prepared(_TOTAL)
FEED_ENDS = select(
    select(func.min(Change.number)).where(Change.enterprise_id == ENTERPRISE_ID).scalar_subquery().label("oldest"),
    select(func.max(Change.number)).where(Change.enterprise_id == ENTERPRISE_ID).scalar_subquery().label("newest"),
)
CHANGES_AFTER = (
    select(Change)
    .where(Change.enterprise_id == ENTERPRISE_ID, Change.number > bindparam("after"))
    .order_by(Change.number)
    .limit(bindparam("limit"))
)
#: How many other users were disabled or deleted since a time: what the limit on removals counts. The types stand as
#: literals, so that the database sees that its partial index serves.
REMOVALS_SINCE = select(func.count(distinct(Change.user_id))).where(
    Change.enterprise_id == ENTERPRISE_ID,
    IS_REMOVAL,
    Change.time > bindparam("since"),
    Change.user_id != ID,
)

# What the console shows of an enterprise at a glance.

#: The last write that was done.
LAST_SUCCESS = (
    select(LogEntry.time)
    .where(LogEntry.enterprise_id == ENTERPRISE_ID, text("outcome = 'ok'"))
    .order_by(LogEntry.id.desc())
    .limit(1)
)
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
# Literals, so that PostgreSQL sees that what is grouped by is what is selected.
_HOUR = func.substr(LogEntry.time, literal_column("1"), literal_column("13"))
#: How many writes were done, by what they did, and refused in each hour from one id of the log to another.
LOG_BY_HOUR = (
    select(
        _HOUR.label("hour"),
        LogEntry.outcome,
        LogEntry.effect,
        func.count().label("entries"),
    )
    .where(LogEntry.enterprise_id == ENTERPRISE_ID, LogEntry.id >= bindparam("since"), LogEntry.id < bindparam("until"))
    .group_by(_HOUR, LogEntry.outcome, LogEntry.effect)
)

_LATER = aliased(LogEntry)
_RECENT = (
    by_refusals(select(LogEntry))
    .where(LogEntry.enterprise_id == ENTERPRISE_ID, IS_REFUSED)
    .order_by(LogEntry.id.desc())
    .limit(bindparam("limit"))
    .subquery("recent")
)


def _is_last_of(column: str) -> ColumnElement[bool]:
    """Return the condition that no later entry has the same ``column``; each is a look into an index."""
    later = select(1).where(
        _LATER.enterprise_id == ENTERPRISE_ID,
        getattr(_LATER, column) == _RECENT.c[column],
        _LATER.id > _RECENT.c.id,
    )
    return ~later.exists()


#: Of the last refusals those after which nothing was heard of the same user and address, the newest first.
OPEN_REFUSALS = select(_RECENT).where(_is_last_of("email_key"), _is_last_of("user_id")).order_by(_RECENT.c.id.desc())
#: When each client was last let in.
CLIENTS_LAST_USED = select(Integration.client_id, Integration.last_used_at).where(
    Integration.enterprise_id == ENTERPRISE_ID
)
#: What happened to a user without SCIM. The condition is the partial index's.
CHANGES_BY_HAND = (
    select(Change)
    .with_hint(Change, "INDEXED BY changes_by_hand", "sqlite")
    .where(Change.enterprise_id == ENTERPRISE_ID, Change.user_id == ID, Change.origin.is_not(None))
    .order_by(Change.number.desc())
    .limit(bindparam("limit"))
)
