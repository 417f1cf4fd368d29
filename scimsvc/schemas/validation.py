"""Input of commands and of the enterprise API, through the marshmallow schemas."""

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError

from scimsvc.errors import InvalidInput
from scimsvc.schemas import load, messages_by_field, messages_of


def validated(schema: Schema, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is ``given`` as ``schema`` normalises it; raises ``InvalidInput`` that names every wrong field."""
    return _loaded(schema, given, partial=False)


def validated_changes(schema: Schema, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same of changes, which name some fields alone."""
    return _loaded(schema, given, partial=True)


def _loaded(schema: Schema, given: Mapping[str, Any], *, partial: bool) -> dict[str, Any]:
    try:
        return load(schema, given, partial=partial)
    except ValidationError as error:
        raise InvalidInput(messages_of(error), messages_by_field(error)) from None


def given(**fields: Any) -> dict[str, Any]:
    """Return the ``fields`` that are not None, as a command's options are where they are left out."""
    return {name: value for name, value in fields.items() if value is not None}
