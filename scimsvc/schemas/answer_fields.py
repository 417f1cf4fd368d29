"""The fields of the enterprise API's answers, each with its description."""

from typing import Any

from marshmallow import Schema, fields


def text(description: str, **options: Any) -> fields.String:
    """Return the field of a text."""
    return fields.String(required=True, metadata={"description": description}, **options)


def text_or_null(description: str) -> fields.String:
    """Return the field of a text that may be null."""
    return text(description, allow_none=True)


def time(description: str, **options: Any) -> fields.String:
    """Return the field of a time."""
    return fields.String(required=True, metadata={"description": description, "format": "date-time"}, **options)


def time_or_null(description: str) -> fields.String:
    """Return the field of a time that may be null."""
    return time(description, allow_none=True)


def truth(description: str, **options: Any) -> fields.Boolean:
    """Return the field of a truth value."""
    return fields.Boolean(required=True, metadata={"description": description}, **options)


def whole_number(description: str) -> fields.Integer:
    """Return the field of a whole number."""
    return fields.Integer(required=True, metadata={"description": description})


def number(description: str) -> fields.Float:
    """Return the field of a number."""
    return fields.Float(required=True, metadata={"description": description})


def names(description: str) -> fields.List[Any]:
    """Return the field of a list of names."""
    return fields.List(fields.String(), required=True, metadata={"description": description})


def members(description: str) -> fields.Dict:
    """Return the field of an object that may be null."""
    return fields.Dict(required=True, allow_none=True, metadata={"description": description})


def list_of(items: type[Schema], description: str) -> fields.List[Any]:
    """Return the field of a list of ``items``."""
    return fields.List(fields.Nested(items), required=True, metadata={"description": description})
