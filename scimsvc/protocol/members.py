"""The members of groups in requests: set operations in, the net change out (contract section 5a).

The operations of a PATCH are applied in order to a change, which is small, instead of to the members, of whom a group
may have very many. ``store.group_members`` applies the change to the rows.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from scimsvc.protocol.attributes import Resource, fold
from scimsvc.protocol.errors import InvalidFilter, InvalidValue, Mutability, quoted
from scimsvc.protocol.filters.matching import make_test
from scimsvc.protocol.filters.nodes import And, Comparison, Node, Or, conditions
from scimsvc.protocol.groups import GROUPS, MEMBERS
from scimsvc.protocol.limits import Limits
from scimsvc.protocol.patch import Operation
from scimsvc.protocol.reasons import Reason


class MemberChange:
    """The change of the members of a group by one request.

    If ``is_reset``, the users in ``added`` become the only members. Otherwise those in ``removed`` leave and those in
    ``added`` join, and no user is in both. A user who is removed and added again stays, at the same position.
    """

    def __init__(self) -> None:
        self.is_reset = False
        #: The IDs of users in order, as keys.
        self.added: dict[str, None] = {}
        self.removed: dict[str, None] = {}

    def __bool__(self) -> bool:
        """Whether anything may change."""
        return self.is_reset or bool(self.added or self.removed)

    def add(self, user_ids: Iterable[str]) -> None:
        """Let users join."""
        for each in user_ids:
            self.removed.pop(each, None)
            self.added[each] = None

    def remove(self, user_ids: Iterable[str]) -> None:
        """Let users leave."""
        for each in user_ids:
            self.added.pop(each, None)
            if not self.is_reset:
                self.removed[each] = None

    def remove_all(self) -> None:
        """Let all users leave."""
        self.is_reset = True
        self.added.clear()
        self.removed.clear()


def take_members(group: Resource, limits: Limits) -> MemberChange:
    """Remove ``members`` from the body ``group``, and return them as a change that resets the members.

    Raises ``InvalidValue``.
    """
    change = MemberChange()
    change.remove_all()
    elements = group.pop(MEMBERS.name, None) or []
    _refuse_too_many(len(elements), limits)
    change.add(_new_ids(elements))
    return change


def split_operations(operations: Sequence[Operation], limits: Limits) -> tuple[list[Operation], MemberChange]:
    """Return the operations on other attributes, and the net change of the operations on ``members``.

    Raises ``InvalidValue``, ``InvalidFilter`` or ``Mutability``.
    """
    others: list[Operation] = []
    change, listed = MemberChange(), 0
    for operation in operations:
        if operation.path.target.attribute is not MEMBERS:
            others.append(operation)
            continue
        listed += len(_elements(operation.value)) or 1
        _refuse_too_many(listed, limits)
        _apply(change, operation)
    return others, change


def _apply(change: MemberChange, operation: Operation) -> None:
    op, path, elements = operation.op, operation.path, _elements(operation.value)
    if path.sub_attribute is not None:
        raise Mutability(f"The attribute {path} cannot be changed. Remove the member, or add another one.")
    if path.condition is not None:
        _apply_to_named(change, op, list(dict.fromkeys(_named(path.condition))), elements)
    elif op == "remove" and operation.value is None:
        change.remove_all()
    elif op == "remove":
        change.remove(_ids(elements))
    else:
        new = _new_ids(elements)
        if op == "replace":
            change.remove_all()
        change.add(new)


def _apply_to_named(change: MemberChange, op: str, named: list[str], elements: list[Resource]) -> None:
    """Apply an operation on ``members[value eq "…"]``. The filter describes the element, so the value may be absent."""
    if op == "remove":
        listed = set(_ids(elements))
        change.remove(each for each in named if not listed or each in listed)
        return
    sent = _new_ids([element for element in elements if "value" in element])
    if not set(sent) <= set(named):
        raise Mutability(
            f"The value {quoted(sent[0])} differs from the filter of the path, and the value of a member cannot be "
            "changed. Remove the member, and add another one."
        )
    change.add(named)


def _elements(value: Any) -> list[Resource]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _ids(elements: Iterable[Resource]) -> list[str]:
    return [_id(element) for element in elements]


def _new_ids(elements: Iterable[Resource]) -> list[str]:
    """Return the IDs of members to add. Raises ``InvalidValue`` for groups and for members without ``value``."""
    for element in elements:
        if fold(element.get("type") or "") == _GROUP:
            raise nested_group(element.get("value") or "")
    return _ids(elements)


_GROUP = fold(GROUPS.name)


def nested_group(group_id: str) -> InvalidValue:
    """Return the error for the group ``group_id`` as a member."""
    return InvalidValue(
        f"The member {quoted(group_id)} is a group. Groups cannot be members of groups. Send users instead.",
        reason=Reason.NESTED_GROUP,
    )


def _id(element: Resource) -> str:
    value = element.get("value")
    if not value:
        raise InvalidValue("A member has no value. Send the ID of the user as the value.")
    return _known_spelling(value)


#: The characters of an ID of this service.
_ID_LENGTH = 36


def _known_spelling(user_id: str) -> str:
    """Return ``user_id``, in lowercase if it may be an ID of this service: ``members.value`` is not caseExact."""
    return fold(user_id) if len(user_id) == _ID_LENGTH else user_id


def _refuse_too_many(number: int, limits: Limits) -> None:
    if number > limits.members:
        raise InvalidValue(
            f"The request has more than {limits.members:,} members. Send at most {limits.members:,} in one request."
        )


# Filters that name members.


def _named(condition: Node) -> Iterator[str]:
    """Yield the IDs of the members that ``condition`` names.

    Raises ``InvalidFilter`` if other members may meet it too: it would have to be compared with every member.
    """
    candidates = _candidates(condition)
    if candidates is None or any(each.path.attribute.name not in _KNOWN for each in conditions(condition)):
        raise InvalidFilter(
            'A path with a filter on members must name them by their IDs. Send a path such as members[value eq "…"].'
        )
    test = make_test(condition)
    yield from (each for each in candidates if test({"value": each, "type": "User"}))


#: The sub-attributes that are known of every user.
_KNOWN = ("value", "type")


def _candidates(condition: Node) -> list[str] | None:
    """Return the IDs to which members that meet ``condition`` are limited, or None if they are not limited."""
    if isinstance(condition, Comparison):
        is_value = condition.operator == "eq" and condition.path.attribute is MEMBERS.value
        return [_known_spelling(condition.value)] if is_value and isinstance(condition.value, str) else None
    if isinstance(condition, And | Or):
        below = [_candidates(operand) for operand in condition.operands]
        limited = [each for each in below if each is not None]
        if isinstance(condition, And):
            return limited[0] if limited else None
        return [each for some in limited for each in some] if len(limited) == len(below) else None
    return None
