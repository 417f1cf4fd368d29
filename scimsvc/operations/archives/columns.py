"""The values that the columns of an archive may have. Code that reads rows relies on them and checks nothing again."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from scimsvc import clock
from scimsvc.protocol.reasons import Reason
from scimsvc.vocabulary import (
    ACTORS,
    BY_ADMINISTRATOR,
    BY_GROUP,
    BY_ROLE,
    BY_USER,
    CHANGE_TYPES,
    EVENT_PATTERNS,
    EVENT_TYPES,
    ID_PATTERN,
    OPERATIONS,
    OUTCOMES,
    PAYLOADS,
    PROVIDERS,
    SCOPES,
    SEVERAL_ROLES,
    SOURCES,
)

_ID = re.compile(ID_PATTERN)
_ENTRY_ID = re.compile("[0-9a-f]{32}")
_LARGEST = 2**63 - 1

#: The columns of each table with one of a few words.
_WORDS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "enterprises": {"several_roles": SEVERAL_ROLES},
    "users": {"source": SOURCES},
    "integrations": {"scope": SCOPES, "provider": PROVIDERS},
    "webhooks": {"payload": PAYLOADS},
    "provisioning_log": {
        "operation": OPERATIONS,
        "outcome": OUTCOMES,
        "effect": CHANGE_TYPES,
        "cause": tuple(map(str, Reason)),
    },
    "changes": {"type": CHANGE_TYPES, "origin": (BY_ADMINISTRATOR, BY_USER, BY_ROLE, BY_GROUP)},
    "audit_log": {"actor_type": ACTORS},
}
_OF_ROLE_AND_GROUP = ("role_id", "group_role_id", "group_id", "user_id", "integration_id", "holder_id")


def may_have(table: str, column: str, type_: type, value: object) -> bool:
    """Return whether the ``column`` may have ``value``, which is not null, besides the constraints of the database."""
    if type_ is float and type(value) is int:
        return True
    if type(value) is not type_:
        return False
    if isinstance(value, int):
        return 0 <= value <= _LARGEST
    return not isinstance(value, str) or _is_of_column(table, column, value)


def _is_of_column(table: str, column: str, value: str) -> bool:
    words = _WORDS.get(table, {}).get(column)
    if words is not None:
        return value in words
    if column == "id":
        return (_ENTRY_ID if table in _LOGS else _ID).fullmatch(value) is not None
    if column in _OF_ROLE_AND_GROUP:
        return _ID.fullmatch(value) is not None or (table, column, value) == ("changes", "user_id", "")
    if column == "time" or column.endswith(("_at", "_until")):
        return _is_time(value) or (column, value) == ("changed_at", "")
    return _SHAPES.get(column, _is_any)(value)


_LOGS = ("provisioning_log", "audit_log")


def _is_any(_value: str) -> bool:
    return True


def _is_time(value: str) -> bool:
    try:
        return clock.timestamp(clock.parse_timestamp(value)) == value
    except (ValueError, OverflowError):
        return False


def _read(value: str) -> Any:
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None


def _is_object(value: str) -> bool:
    return isinstance(_read(value), dict)


def _is_list_of_texts(value: str) -> bool:
    texts = _read(value)
    return isinstance(texts, list) and all(isinstance(text, str) for text in texts)


def _is_list_of_ids(value: str) -> bool:
    return _is_list_of_texts(value) and all(map(_ID.fullmatch, json.loads(value)))


def _is_list_of_events(value: str) -> bool:
    return _is_list_of_texts(value) and {*EVENT_TYPES, *EVENT_PATTERNS}.issuperset(json.loads(value))


_DIFFERENCE = 3


def _is_list_of_differences(value: str) -> bool:
    """Return whether ``value`` is a list of lists: name, old value, new value."""
    differences = _read(value)
    return isinstance(differences, list) and all(
        isinstance(each, list) and len(each) == _DIFFERENCE and isinstance(each[0], str) for each in differences
    )


def _is_url(value: str) -> bool:
    return value.startswith("https://")


#: The shapes of columns with other text, by name.
_SHAPES: Mapping[str, Callable[[str], bool]] = {
    "changed": _is_list_of_texts,
    "tolerances": _is_list_of_texts,
    "ignored": _is_list_of_texts,
    "members": _is_list_of_ids,
    "types": _is_list_of_events,
    "differences": _is_list_of_differences,
    "before": _is_object,
    "after": _is_object,
    "url": _is_url,
    "alert_cursor": lambda value: re.fullmatch("[0-9a-f]{0,32}", value) is not None,
    "client_id": lambda value: value.isprintable(),
}


def is_id(value: object) -> bool:
    """Return whether ``value`` is an ID that this service assigns."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None
