"""Convert the values that providers send to the type of their attribute (contract section 5).

An absent value is None. ``null``, ``""`` and ``[]`` count as absent (RFC 7643 §2.5).
"""

from collections import Counter
from itertools import islice
from typing import Any

from scimsvc.protocol.attributes import MANAGER, ROLES, Attribute, Resource, fold
from scimsvc.protocol.elements import merged_elements
from scimsvc.protocol.errors import InvalidSyntax, InvalidValue, ScimError, UnknownAttribute, listed, quoted
from scimsvc.protocol.reading.tolerances import RequestNotes, Tolerance
from scimsvc.protocol.reasons import Reason
from scimsvc.protocol.resource_types import ResourceType
from scimsvc.protocol.role_elements import unpack_role
from scimsvc.protocol.scalars import NUMBERS, find_number, is_date_time, is_number


class ValueReader:
    """Reads values of ``resource_type``. Unknown attributes are ignored, or raise ``unknown`` if that is not None.

    Malformed values raise ``InvalidValue``. If ``kept`` is not None, those of a single-valued attribute or one of its
    members are left out and added to ``kept``, with the detail of the error; see ``protocol.updates``.
    """

    def __init__(
        self,
        resource_type: ResourceType,
        notes: RequestNotes,
        unknown: type[ScimError] | None,
        *,
        kept: dict[tuple[str, ...], str] | None = None,
    ) -> None:
        self.resource_type = resource_type
        self.notes = notes
        self.unknown = unknown
        self.kept = kept

    def single(self, attribute: Attribute, value: Any, where: str) -> Any:
        """Read the value of a single-valued attribute, which errors call ``where``."""
        value = self._unwrapped(attribute, value)
        if value in (None, "") or value == []:
            return None
        if attribute.type == "complex":
            return self._complex(attribute, value, where)
        return self._scalar(attribute, value, where)

    def elements(self, attribute: Attribute, value: Any, where: str) -> list[Any] | None:
        """Read all elements of a multi-valued attribute, which errors call ``where``.

        A value that is not a list counts as a list of one.
        """
        if value in (None, "") or (value == [] and not attribute.is_apart):
            return None
        if not isinstance(value, list):
            self.notes.tolerate(Tolerance.UNLISTED_ELEMENT)
            value = [value]
        most = attribute.most_elements(self.notes.limits)
        if len(value) > most:
            raise InvalidValue(f"The attribute {where} has {len(value)} elements. Send at most {most}.")
        elements = (self.element(attribute, each, where) for each in value)
        read = [element for element in elements if element is not None]
        if attribute.single_element and len(read) > 1:
            read = self._merged(attribute, read)
        # A list of no members is a list: to remove them changes nothing, and to remove without a value removes all.
        return read if read or attribute.is_apart else None

    def _merged(self, attribute: Attribute, elements: list[Resource]) -> list[Resource]:
        """Return ``elements``, of which only one counts, without other spellings of the same value."""
        merged = merged_elements(attribute, elements)
        if len(merged) < len({element.get("value") for element in elements}):
            self.notes.tolerate(Tolerance.REPEATED_ROLE)
        return merged

    def element(self, attribute: Attribute, value: Any, where: str) -> Any:
        """Read one element of a multi-valued attribute. It may be wrapped in a list of one."""
        if isinstance(value, list) and len(value) == 1:
            self.notes.tolerate(Tolerance.WRAPPED_SCALAR)
            value = value[0]
        if value in (None, "", {}) or value == []:
            return None
        if not attribute.sub_attributes:
            return self._bare_element(attribute, value, where)
        element = self._complex(attribute, value, where)
        if attribute is ROLES and isinstance(element.get("value"), str):
            element["value"] = unpack_role(element["value"], self.notes)
        return {name: member for name, member in element.items() if member is not None} or None

    def _bare_element(self, attribute: Attribute, value: Any, where: str) -> Any:
        """Read an element that is not an object. It may be sent as the ``value`` of one."""
        if isinstance(value, dict) and "value" in value:
            self.notes.tolerate(Tolerance.WRAPPED_SCALAR)
            value = value["value"]
        return None if value in (None, "") else self._scalar(attribute, value, where)

    def ignore_or_reject(self, name: str) -> None:
        """Ignore the unknown attribute ``name``, or raise ``unknown`` if that is not None."""
        if self.unknown is not None:
            raise self.unknown(UnknownAttribute(name).detail, reason=Reason.UNKNOWN_ATTRIBUTE)
        self.notes.ignore(name)

    def _complex(self, attribute: Attribute, value: Any, where: str) -> Resource:
        if isinstance(value, str) and attribute.value is not None:
            self.notes.tolerate(Tolerance.BARE_ELEMENT)
            value = {"value": value}
        if not isinstance(value, dict):
            raise InvalidValue(f"The attribute {where} must be {_kind(attribute)}, not {json_kind(value)}.")
        members: Resource = {}
        for name, member in value.items():
            sub_attribute = attribute.find(name) or self._manager_id(attribute, name, value)
            if attribute.is_extension and fold(name) == "schemas":
                continue  # clients that treat an extension as a separate object also send its URN
            if sub_attribute is None:
                self.ignore_or_reject(_member_name(attribute, where, name))
            elif sub_attribute.name in members:
                name = _member_name(attribute, where, sub_attribute.name)
                raise InvalidSyntax(f"The attribute {name} is sent twice, in two spellings. Send it once.")
            else:
                self._read_member(members, attribute, sub_attribute, member, where)
        return members

    def _manager_id(self, attribute: Attribute, name: str, members: Resource) -> Attribute | None:
        """Return ``manager.value`` if ``name`` is its name of SCIM 1.1, and ``members`` has no other value."""
        if attribute is not MANAGER or fold(name) != "managerid" or "value" in map(fold, members):
            return None
        self.notes.tolerate(Tolerance.MANAGER_ID)
        return attribute.value

    def _read_member(
        self, members: Resource, attribute: Attribute, sub_attribute: Attribute, value: Any, where: str
    ) -> None:
        read = self.elements if sub_attribute.multi_valued else self.single
        try:
            name = _member_name(attribute, where, sub_attribute.name)
            members[sub_attribute.name] = read(sub_attribute, value, name)
        except InvalidValue as error:
            if self.kept is None or attribute.multi_valued or where != attribute.name:
                raise
            self.kept[attribute.name, sub_attribute.name] = error.problem

    def _scalar(self, attribute: Attribute, value: Any, where: str) -> Any:
        if attribute.type == "boolean":
            return self._boolean(value, where)
        if attribute.type in NUMBERS:
            return self._number(attribute, value, where)
        return self._text(attribute, value, where)

    def _number(self, attribute: Attribute, value: Any, where: str) -> int | float:
        number: int | float | None = value if _is_number(value) else None
        if isinstance(value, str):
            number = find_number(attribute.type, value)
            if number is not None:
                self.notes.tolerate(Tolerance.TEXT_NUMBER)
        if number is not None and is_number(attribute.type, number):
            return number
        shown = quoted(value) if isinstance(value, str) else value if _is_number(value) else json_kind(value)
        raise InvalidValue(f"The attribute {where} must be {_kind(attribute)}, not {shown}.")

    def _boolean(self, value: Any, where: str) -> bool:
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.lower() in ("true", "false"):
            self.notes.tolerate(Tolerance.TEXT_BOOLEAN)
            return value.lower() == "true"
        raise InvalidValue(f"The attribute {where} must be true or false, not {json_kind(value)}.")

    def _text(self, attribute: Attribute, value: Any, where: str) -> str:
        if not isinstance(value, str):
            raise InvalidValue(f"The attribute {where} must be {_kind(attribute)}, not {json_kind(value)}.")
        if attribute.type == "dateTime" and not is_date_time(value):
            raise InvalidValue(f"The attribute {where} must be {_kind(attribute)}, not {quoted(value)}.")
        return value

    def _unwrapped(self, attribute: Attribute, value: Any) -> Any:
        """Return the scalar or manager that is wrapped in a list of one (Entra facts section 7 rule 7)."""
        if not isinstance(value, list) or len(value) != 1:
            return value
        inner = value[0]
        if attribute.type == "boolean" and isinstance(inner, bool | str):
            self.notes.tolerate(Tolerance.LISTED_BOOLEAN)
            return inner
        if attribute.type == "complex":
            self.notes.tolerate(Tolerance.WRAPPED_SCALAR)
            return inner
        if isinstance(inner, dict) and "value" in inner:
            self.notes.tolerate(Tolerance.WRAPPED_SCALAR)
            return inner["value"]
        return value


def _kind(attribute: Attribute) -> str:
    if attribute.type == "complex":
        return f"an object with {listed(sub.name for sub in attribute.sub_attributes if not sub.hidden)}"
    return _KINDS.get(attribute.type, "a string")


_KINDS = {
    "integer": "a whole number of at most 64 bits, such as 42",
    "decimal": "a number of at most 15 digits, such as 12.5",
    "dateTime": "a time such as 2026-11-23T08:00:00Z",
}


def _member_name(attribute: Attribute, where: str, name: str) -> str:
    return f"{where}:{name}" if attribute.is_extension else f"{where}.{name}"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def folded_members(members: Resource) -> Resource:
    """Return the members by folded name. Raises ``InvalidSyntax`` if two names fold to the same one."""
    folded = {fold(name): value for name, value in members.items()}
    if len(folded) != len(members):
        counts = Counter(map(fold, members))
        twice = islice((name for name in members if counts[fold(name)] > 1), _MOST_SPELLINGS)
        raise InvalidSyntax(f"An object has the same name twice, as {quoted(', '.join(twice))}. Send it once.")
    return folded


#: The number of spellings that the error shows.
_MOST_SPELLINGS = 10


def json_kind(value: Any) -> str:
    """Return the kind of a JSON value for errors, such as "a string"."""
    return _JSON_KINDS.get(type(value), "a number")


_JSON_KINDS = {
    type(None): "null",
    bool: "a boolean",
    str: "a string",
    list: "a list",
    dict: "an object",
}
