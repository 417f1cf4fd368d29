"""Validate bodies and command arguments with the marshmallow schemas."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from scimsvc.errors import InvalidInput
from scimsvc.protocol.errors import listed, quoted

#: An error shows the first messages, so that a body of unknown names does not get a far larger answer. No schema has as
#: many fields.
_MOST_MESSAGES = 50
_LONGEST_NAME = 200

if TYPE_CHECKING:  # see ``scimsvc.schemas``
    from marshmallow import Schema, ValidationError


def validated(schema: "Schema", members: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``members`` as ``schema`` normalizes them. Raises ``InvalidInput`` with the invalid fields."""
    return _loaded(schema, members, partial=False)


def validated_changes(schema: "Schema", members: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``members`` like ``validated``, but without defaults for absent fields. Raises ``InvalidInput``."""
    return _loaded(schema, members, partial=True)


def read_query(schema: "Schema", parameters: Mapping[str, str]) -> dict[str, Any]:
    """Return the ``parameters`` of a query as ``schema`` reads them. Raises ``InvalidInput`` with the invalid ones."""
    unknown = [name for name in parameters if name not in schema.fields]
    if unknown:
        advice = f"Use one of {listed(schema.fields)}." if schema.fields else "This endpoint has no parameters."
        raise InvalidInput(
            f"Unknown parameter {listed(map(quoted, unknown))}. {advice}",
            {name[:_LONGEST_NAME]: ["This parameter does not exist. Remove it."] for name in unknown[:_MOST_MESSAGES]},
        )
    return validated(schema, parameters)


def _loaded(schema: "Schema", members: Mapping[str, Any], *, partial: bool) -> dict[str, Any]:
    from marshmallow import ValidationError

    try:
        return dict(schema.load(members, partial=partial))
    except ValidationError as error:
        by_field = _messages_by_field(error)
        raise InvalidInput(_in_one_line(by_field), by_field) from None


def without_none(**fields: Any) -> dict[str, Any]:
    """Return the ``fields`` that are not None: the options that were passed to a command."""
    return {name: value for name, value in fields.items() if value is not None}


def _in_one_line(by_field: dict[str, list[str]]) -> str:
    """Return every message in one line: ``name: Enter a value. roles: Enter a list of names.``."""
    return " ".join(f"{name}: {message}" for name, messages in by_field.items() for message in messages)


def _messages_by_field(error: "ValidationError") -> dict[str, list[str]]:
    """Return the first messages of ``error`` under the dotted names of their fields."""
    by_field: dict[str, list[str]] = {}
    for path, message in islice(_flattened(error.messages_dict, ()), _MOST_MESSAGES):
        by_field.setdefault(".".join(path)[:_LONGEST_NAME], []).append(message)
    return by_field


def _flattened(messages: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(messages, dict):
        for name, below in messages.items():
            # "_schema" is marshmallow's name for errors of a whole object, which is not a field.
            yield from _flattened(below, path if name == "_schema" and path else (*path, str(name)))
    else:
        yield from ((path, message) for message in messages)
