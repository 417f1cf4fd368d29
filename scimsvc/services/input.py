"""Input of commands and of the enterprise API, through the marshmallow schemas."""

from typing import Any

from marshmallow import Schema, ValidationError

from scimsvc.schemas import load, messages_of
from scimsvc.services.errors import InvalidInput


def validated(schema: Schema, **given: Any) -> dict[str, Any]:
    """Return what is ``given`` (None counts as absent) as ``schema`` normalises it; raises ``InvalidInput``."""
    try:
        return load(schema, {name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        raise InvalidInput(messages_of(error)) from None
