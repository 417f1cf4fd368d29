"""Insert, update and delete users, and report violated constraints.

The constraints of the database guarantee uniqueness: of two concurrent writes, the first one wins. A document and the
columns that are derived from it are always written together.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, insert, null, select, update
from sqlalchemy.exc import IntegrityError

from scimsvc.models import User
from scimsvc.protocol.attributes import Resource
from scimsvc.store.engine.statements import Query, Write
from scimsvc.store.profiles import Profile
from scimsvc.store.representations import KEY_ATTRIBUTES, StoredUser, key_columns
from scimsvc.store.users import ENTERPRISE_ID, UserToChange


class UserConflict(Exception):
    """A user cannot be written because of another user or of a role."""


class EmailTaken(UserConflict):
    """Another user of the enterprise has the work e-mail address."""


class UserNameTaken(UserConflict):
    """Another user of the enterprise has the userName, and the enterprise requires unique userNames."""


class RoleGone(UserConflict):
    """The role was deleted after it was read."""


@dataclass(frozen=True, slots=True)
class NewUser:
    """A user to insert: the columns derived from its document (``user_columns``), and its other columns."""

    id: str
    columns: Mapping[str, Any]
    source: str
    #: The effective values.
    title: str | None
    organization: str | None

    def row(self, enterprise_id: str, at: str) -> dict[str, Any]:
        """Return all columns of the user, inserted at the time ``at``."""
        return {
            **self.columns,
            "enterprise_id": enterprise_id,
            "id": self.id,
            "source": self.source,
            "title": self.title,
            "organization": self.organization,
            "version": 1,
            "revision": 1,
            "group_role_id": None,
            "created_at": at,
            "modified_at": at,
            "changed_at": at,
        }


@dataclass(frozen=True, slots=True)
class UserUpdate:
    """The new state of ``row``, a locked user with the document ``before``.

    ``document`` is in canonical form and contains the element of the role. The role ID None means the default role.
    ``title`` and ``organization`` are the effective values.
    """

    row: UserToChange | Profile
    before: Resource
    document: Resource
    role_id: str | None
    source: str
    title: str | None
    organization: str | None

    @property
    def is_visible(self) -> bool:
        """Whether the SCIM representation of the user changes."""
        return self.document != self.before or self.role_id != self.row.role_id

    @property
    def changes_keys(self) -> bool:
        """Whether a column changes that identifies users or selects them in searches."""
        row, before, document = self.row, self.before, self.document
        return (
            (self.role_id, self.source) != (row.role_id, row.source)
            or [document.get(name) for name in KEY_ATTRIBUTES] != [before.get(name) for name in KEY_ATTRIBUTES]
        )  # fmt: skip


class EffectiveValues(NamedTuple):
    """The new effective title and organization of a user."""

    user_id: str
    title: str | None
    organization: str | None


class _Key(NamedTuple):
    key: str


# Parameters of the condition need other names than the columns that the statement sets.
_OWN_ROW = (User.enterprise_id == bindparam("key_enterprise_id"), User.id == bindparam("key_id"))
_COLUMNS = tuple(column.name for column in User.__table__.columns)
#: The columns that updates of a user leave. ``role_recomputation`` sets the role from groups.
_FIXED = ("enterprise_id", "id", "created_at", "group_role_id")
#: The columns that rarely change, most of them indexed: ``key_columns`` and the source.
_KEYS = (
    "email_key", "has_other_emails", "user_name_key", "unique_user_name_key", "external_id", "active", "role_id",
    "source",
)  # fmt: skip
_CONTENT = tuple(name for name in _COLUMNS if name not in {*_FIXED, *_KEYS})


def _update(columns: Iterable[str]) -> Write:
    return Write(update(User).where(*_OWN_ROW).values({name: bindparam(f"new_{name}") for name in columns}))


_INSERT = Write(insert(User).values({name: bindparam(f"new_{name}") for name in _COLUMNS}))
_INSERT_MANY = Write(insert(User))
_UPDATE = _update(_CONTENT + _KEYS)
#: For updates without a changed key. SQLite rewrites the index of every column that is set, even if it is unchanged.
_UPDATE_CONTENT = _update(_CONTENT)
_UPDATE_EFFECTIVE = Write(
    update(User)
    .where(*_OWN_ROW)
    .values(
        title=bindparam("new_title"),
        organization=bindparam("new_organization"),
        revision=User.revision + 1,
        changed_at=bindparam("new_changed_at"),
    )
)
_UPDATE_DOCUMENT = Write(
    update(User)
    .where(*_OWN_ROW)
    .values(
        document=bindparam("new_document"),
        search=bindparam("new_search"),
        version=User.version + 1,
        modified_at=bindparam("new_at"),
        revision=User.revision + 1,
        changed_at=bindparam("new_at"),
    )
)
_DELETE = Write(delete(User).where(*_OWN_ROW))
_DELETE_ALL = Write(delete(User).where(User.enterprise_id == ENTERPRISE_ID))
#: This index has the rows in the order in which SQLite stores them, so each page is written only once.
_OF_ENTERPRISE = (
    update(User).where(User.enterprise_id == ENTERPRISE_ID).with_hint("INDEXED BY users_role", dialect_name="sqlite")
)
FILL_UNIQUE_USER_NAMES = Write(_OF_ENTERPRISE.values(unique_user_name_key=User.user_name_key))
_EMPTY_UNIQUE_USER_NAMES = Write(_OF_ENTERPRISE.values(unique_user_name_key=null()))


def insert_user(connection: Connection, enterprise_id: str, user: NewUser, *, at: str) -> StoredUser:
    """Insert ``user``. Raises ``UserConflict`` on a violated constraint."""
    row = user.row(enterprise_id, at)
    try:
        _INSERT.run(connection, _new(row))
    except IntegrityError as error:
        raise _conflict(error) from None
    return StoredUser(user.id, row["document"], row["role_id"], row["version"], at, at)


def insert_users(connection: Connection, enterprise_id: str, users: Sequence[NewUser], *, at: str) -> None:
    """Insert many users. Raises ``UserConflict`` on a violated constraint."""
    try:
        _INSERT_MANY.run_many(connection, [user.row(enterprise_id, at) for user in users])
    except IntegrityError as error:
        raise _conflict(error) from None


def list_taken_addresses(connection: Connection, enterprise_id: str, keys: Sequence[str]) -> set[str]:
    """Return the folded e-mail addresses from ``keys`` that users of the enterprise already have."""
    statement = select(User.email_key).where(User.enterprise_id == enterprise_id, User.email_key.in_(keys))
    return {row.key for row in Query(statement, _Key, dynamic=True).all(connection)}


def list_taken_user_names(connection: Connection, enterprise_id: str, keys: Sequence[str]) -> set[str]:
    """Return the folded userNames from ``keys`` that exist already, if the enterprise requires unique userNames."""
    condition = User.unique_user_name_key.in_(keys)
    statement = select(User.user_name_key).where(User.enterprise_id == enterprise_id, condition)
    return {row.key for row in Query(statement, _Key, dynamic=True).all(connection)}


def update_user(
    connection: Connection,
    enterprise_id: str,
    change: UserUpdate,
    content: Mapping[str, Any],
    *,
    unique_user_name: bool,
    at: str,
) -> StoredUser:
    """Update a user. Raises ``UserConflict`` on a violated constraint.

    ``content`` is the result of ``content_columns`` for the document of ``change``.
    The version and the modification time change only if the SCIM representation of the user changes.
    """
    row, is_visible = change.row, change.is_visible
    columns = {
        **content,
        "version": row.version + is_visible,
        "modified_at": at if is_visible else row.modified_at,
        "revision": row.revision + 1,
        "changed_at": at,
        "title": change.title,
        "organization": change.organization,
    }
    statement = _UPDATE_CONTENT
    if change.changes_keys:
        statement = _UPDATE
        columns["source"] = change.source
        columns |= key_columns(change.document, role_id=change.role_id, unique_user_name=unique_user_name)
    try:
        statement.run(connection, _new(columns) | _key(enterprise_id, row.id))
    except IntegrityError as error:
        raise _conflict(error) from None
    modified_at = columns["modified_at"]
    return StoredUser(
        row.id, columns["document"], change.role_id, columns["version"], row.created_at, modified_at, row.group_role
    )


def update_effective_values(
    connection: Connection, enterprise_id: str, users: Iterable[EffectiveValues], *, at: str
) -> None:
    """Set the effective title and organization of ``users``."""
    _UPDATE_EFFECTIVE.run_many(
        connection,
        [
            _key(enterprise_id, user.user_id)
            | {"new_title": user.title, "new_organization": user.organization, "new_changed_at": at}
            for user in users
        ],
    )


def update_documents(
    connection: Connection, enterprise_id: str, contents: Mapping[str, Mapping[str, Any]], *, at: str
) -> None:
    """Set the documents of many users. ``contents`` has the result of ``content_columns`` by ID.

    Neither roles nor the columns that identify a user may change.
    """
    _UPDATE_DOCUMENT.run_many(
        connection,
        [_key(enterprise_id, user_id) | _new(columns) | {"new_at": at} for user_id, columns in contents.items()],
    )


def delete_user(connection: Connection, enterprise_id: str, user_id: str) -> None:
    """Delete a user."""
    _DELETE.run(connection, _key(enterprise_id, user_id))


def delete_users(connection: Connection, enterprise_id: str) -> None:
    """Delete all users of the enterprise without changes in the feed. Use it only to delete an enterprise."""
    _DELETE_ALL.run(connection, {"enterprise_id": enterprise_id})


def update_unique_user_names(connection: Connection, enterprise_id: str, *, unique: bool) -> None:
    """Fill or clear the column with the unique index on userNames."""
    statement = FILL_UNIQUE_USER_NAMES if unique else _EMPTY_UNIQUE_USER_NAMES
    statement.run(connection, {"enterprise_id": enterprise_id})


def _new(columns: Mapping[str, Any]) -> dict[str, Any]:
    return {f"new_{name}": value for name, value in columns.items()}


def _key(enterprise_id: str, user_id: str) -> dict[str, Any]:
    return {"key_enterprise_id": enterprise_id, "key_id": user_id}


def _conflict(error: IntegrityError) -> UserConflict:
    """Return the conflict that a violated constraint means."""
    # The message of PostgreSQL also contains values, so use its constraint name. SQLite only names the columns.
    constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", None) or str(error.orig)
    if "unique_user_name" in constraint:
        return UserNameTaken()
    return EmailTaken() if "email" in constraint else RoleGone()
