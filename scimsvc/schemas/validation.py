"""Validation of bodies and command arguments by the marshmallow schemas."""

from collections.abc import Iterator, Mapping
from typing import Any

from marshmallow import Schema, ValidationError

from scimsvc.errors import InvalidInput


def validated(schema: Schema, members: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``members`` as ``schema`` normalises them; raises ``InvalidInput`` that names every wrong field."""
    return _loaded(schema, members, partial=False)


def validated_changes(schema: Schema, members: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``members`` in the same way, without defaults for the fields that are absent."""
    return _loaded(schema, members, partial=True)


def _loaded(schema: Schema, members: Mapping[str, Any], *, partial: bool) -> dict[str, Any]:
    try:
        return load(schema, members, partial=partial)
    except ValidationError as error:
        raise InvalidInput(messages_of(error), messages_by_field(error)) from None


def load(schema: Schema, members: Mapping[str, Any], *, partial: bool = False) -> dict[str, Any]:
    """Return ``members`` as ``schema`` normalises them, with defaults unless ``partial``.

    Raises ``ValidationError``, for callers whose protocol has errors of its own.
    """
    return dict(schema.load(members, partial=partial))


def without_none(**fields: Any) -> dict[str, Any]:
    """Return the ``fields`` that are not None: the options that a command line has."""
    return {name: value for name, value in fields.items() if value is not None}


def messages_of(error: ValidationError) -> str:
    """Return every message of ``error`` in one line: ``name: must not be blank; roles: …``."""
    return "; ".join(
        f"{name}: {message}" for name, messages in messages_by_field(error).items() for message in messages
    )


def messages_by_field(error: ValidationError) -> dict[str, list[str]]:
    """Return every message of ``error`` under the dotted name of its field."""
    by_field: dict[str, list[str]] = {}
    for path, message in _flattened(error.messages_dict, ()):
        by_field.setdefault(".".join(path), []).append(message.rstrip("."))
    return by_field


def _flattened(messages: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(messages, dict):
        for name, below in messages.items():
            # "_schema" is marshmallow's name for errors of a whole object, which is not a field.
            yield from _flattened(below, path if name == "_schema" and path else (*path, str(name)))
    else:
        yield from ((path, message) for message in messages)
