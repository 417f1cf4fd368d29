"""Groups and their members."""

from typing import Any

from sqlalchemy import BigInteger, ForeignKey, ForeignKeyConstraint, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from scimsvc.extensions import Model
from scimsvc.models.conditions import partial_index
from scimsvc.models.users import Searchable


class Group(Model):
    """A group: the canonical SCIM document without its members, and columns for searches and constraints.

    Only ``store.group_representations`` writes documents, together with the columns that are derived from them.
    """

    __tablename__ = "groups"
    __table_args__ = (
        Index("groups_name", "enterprise_id", "name_key", "id"),
        partial_index(
            "groups_unique_name",
            "enterprise_id",
            "unique_name_key",
            unique=True,
            where=text("unique_name_key IS NOT NULL"),
        ),
        Index("groups_external_id", "enterprise_id", "external_id", "id"),
    )

    enterprise_id: Mapped[str] = mapped_column(ForeignKey("enterprises.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    #: The displayName, and its folded form.
    name: Mapped[str]
    name_key: Mapped[str]
    #: The folded displayName while the enterprise's ``unique_group_name`` is on, else null.
    unique_name_key: Mapped[str | None]
    external_id: Mapped[str | None]
    #: Counts the changes of the document and of the members.
    version: Mapped[int]
    #: The number of members.
    members: Mapped[int]
    #: The number of users who ever became members, which is the position of the newest one.
    joined: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[str]
    modified_at: Mapped[str]
    #: The SCIM document in answers, without ``members`` and ``meta``.
    document: Mapped[str] = mapped_column(Text)
    search: Mapped[dict[str, Any]] = mapped_column(Searchable)


class GroupMember(Model):
    """A user who is a member of a group. The key has the order in which members joined."""

    __tablename__ = "group_members"
    __table_args__ = (
        ForeignKeyConstraint(["enterprise_id", "group_id"], ["groups.enterprise_id", "groups.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(["enterprise_id", "user_id"], ["users.enterprise_id", "users.id"], ondelete="CASCADE"),
        Index("group_members_user", "enterprise_id", "user_id", "group_id", unique=True),
        {"sqlite_with_rowid": False},
    )

    enterprise_id: Mapped[str] = mapped_column(primary_key=True)
    group_id: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    user_id: Mapped[str]


class RoleGroup(Model):
    """A group that gives a role to its members. It is named before it exists, and then followed by its ID."""

    __tablename__ = "role_groups"
    __table_args__ = (
        ForeignKeyConstraint(["enterprise_id", "role_id"], ["roles.enterprise_id", "roles.id"], ondelete="CASCADE"),
        Index("role_groups_role", "enterprise_id", "role_id"),
        partial_index(
            "role_groups_group", "enterprise_id", "group_id", unique=True, where=text("group_id IS NOT NULL")
        ),
    )

    enterprise_id: Mapped[str] = mapped_column(primary_key=True)
    #: The displayName or externalId that the administrator entered, folded and as entered.
    reference_key: Mapped[str] = mapped_column(primary_key=True)
    reference: Mapped[str]
    role_id: Mapped[str]
    #: The group's ID; null until a group with this displayName or externalId exists.
    group_id: Mapped[str | None]
