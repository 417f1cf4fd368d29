"""Apply a change of a role to its users in the database, and add the changes to the feed.

A change may concern each user of an enterprise. On SQLite, no one else can write until its transaction ends, so
statements do all of the work and no row is read into Python. Property tests compare these statements with
``mapping.effective_values`` and ``protocol.resources.work_address``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    case,
    cast,
    false,
    func,
    literal,
    null,
    or_,
    select,
    update,
)

from scimsvc.models import Searchable, User
from scimsvc.protocol.attributes import EMAILS, EXTENSION
from scimsvc.protocol.json_text import write_names
from scimsvc.store.engine.statements import Write
from scimsvc.store.feed import GROUP_COLUMNS, insert_selected_changes
from scimsvc.store.filters.search_functions import SEARCH_FUNCTIONS, SearchFunctions
from scimsvc.store.users import has_role
from scimsvc.vocabulary import BY_ROLE, PROVISIONED, UPDATED

Expression = ColumnElement[Any]

#: This index has the users of a role in the order in which SQLite stores them, so each page is written only once.
_UPDATE = update(User).with_hint("INDEXED BY users_role", dialect_name="sqlite")


@dataclass(frozen=True, slots=True)
class RoleChange:
    """A change of a role: its name before and after, and whether it restricts editing afterwards."""

    old_name: str
    new_name: str
    restricts: bool

    @property
    def renames(self) -> bool:
        """Whether the role's users see another name."""
        return self.new_name != self.old_name


class EffectiveValue(NamedTuple):
    """An effective value that the directory's value may replace."""

    column: Any
    #: The directory value, or null if it is absent.
    directory: Expression
    is_replaced: Expression


def apply_role_change(
    connection: Connection, enterprise_id: str, role_ids: Sequence[str | None], change: RoleChange, *, at: str
) -> None:
    """Apply ``change`` to the users who have one of ``role_ids``, where None stands for the default role.

    Under a role that restricts editing, the directory values replace effective values that differ. The transaction must
    have locked the enterprise against other writes of its users.
    """
    functions = SEARCH_FUNCTIONS[connection.dialect.name]
    document: Expression = User.document.expression
    if connection.dialect.name == "postgresql":
        document = cast(document, Searchable)
    values = replaced_values(functions, document) if change.restricts else []
    concerned = [User.enterprise_id == enterprise_id, or_(*map(_has_role, role_ids))]
    if not change.renames:
        concerned.append(or_(false(), *(value.is_replaced for value in values)))
    changes = _changes(change, values, email=work_address(functions, document), at=at)
    insert_selected_changes(connection, enterprise_id, changes.where(*concerned), order_by=User.id)
    new: dict[Any, Any] = {
        value.column: case((value.is_replaced, value.directory), else_=value.column) for value in values
    }
    new |= {User.revision: User.revision + 1, User.changed_at: at}
    if change.renames:  # the answers of users with a role from groups contain its name
        from_group = and_(User.role_id.is_(None), User.group_role_id.is_not(None))
        new |= {
            User.version: User.version + case((from_group, 1), else_=0),
            User.modified_at: case((from_group, at), else_=User.modified_at),
        }
    Write(_UPDATE.where(*concerned).values(new), dynamic=True).run(connection)


def _has_role(role_id: str | None) -> ColumnElement[bool]:
    if role_id is None:
        return and_(User.role_id.is_(None), User.group_role_id.is_(None))
    return has_role(role_id)


def work_address(functions: SearchFunctions, document: Expression) -> Expression:
    """Return the work address of a user like ``protocol.users.work_address``.

    ``search`` has the same elements as the document, and their types are folded in it.
    """
    elements, element, position = functions.numbered_elements(functions.array(document, EMAILS.name))
    folded, folded_element, folded_position = functions.numbered_elements(
        functions.array(User.search.expression, EMAILS.name)
    )
    first_of_type = (
        select(functions.member(element, ("value",)))
        .select_from(elements.join(folded, position == folded_position))
        .where(functions.member(folded_element, ("type",)) == "work")
        .order_by(position)
        .limit(1)
        .correlate(User)
        .scalar_subquery()
    )
    elements, element, position = functions.numbered_elements(functions.array(document, EMAILS.name))
    primary = (
        select(functions.member(element, ("value",)))
        .select_from(elements)
        .where(functions.member(element, ("primary",)) == functions.boolean(True))
        .order_by(position)
        .limit(1)
        .correlate(User)
        .scalar_subquery()
    )
    several = func.coalesce(first_of_type, primary)
    return case((User.has_other_emails, several), else_=functions.member(document, (EMAILS.name, 0, "value")))


def replaced_values(
    functions: SearchFunctions, document: Expression, *, under: Expression | None = None
) -> list[EffectiveValue]:
    """Return title and organization under a role that restricts editing, as ``mapping.effective_values`` does.

    ``under`` is the condition that the user's role restricts editing; None if it does in any case.
    """
    paths = ((User.title, ("title",)), (User.organization, (EXTENSION.name, "organization")))
    values = []
    for column, path in paths:
        directory = func.nullif(functions.member(document, path), "")
        differs = and_(directory.is_not(None), directory.is_distinct_from(column))
        is_replaced = and_(User.source == PROVISIONED, differs)
        values.append(EffectiveValue(column, directory, is_replaced if under is None else and_(under, is_replaced)))
    return values


def _changes(change: RoleChange, values: Sequence[EffectiveValue], *, email: Expression, at: str) -> Select[Any]:
    """Return the columns of ``ChangeRow`` for each user."""
    columns: list[Any] = [
        literal(at),
        literal(UPDATED),
        User.id,
        email,
        changed_names(values, ("roles",) if change.renames else ()),
        literal(change.new_name),
        User.active,
        literal(change.old_name),
        User.active,
        literal(BY_ROLE),
        *(null() for _ in GROUP_COLUMNS),
    ]
    return select(*columns)


def changed_names(values: Sequence[EffectiveValue], names: tuple[str, ...]) -> Expression:
    """Return the JSON list of the names of ``values`` that are replaced, followed by ``names``."""
    if not values:
        return literal(write_names(names))
    *others, last = values
    also = changed_names(others, (last.column.key, *names))
    return case((last.is_replaced, also), else_=changed_names(others, names))
