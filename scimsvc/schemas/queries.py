"""The query parameters of the enterprise API's lists; each value comes as text."""

import re
from datetime import datetime
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from scimsvc.protocol.limits import MAX_KEY_LENGTH
from scimsvc.schemas.field_types import Name
from scimsvc.schemas.limits import DEFAULT_LIMIT, MAX_LIMIT
from scimsvc.vocabulary import OPERATIONS, OUTCOMES, SOURCES


class Number(fields.Integer):
    """A whole number, in digits."""

    def _deserialize(self, value: Any, *args: Any, **options: Any) -> Any:
        if re.fullmatch(r"-?[0-9]{1,9}", value) is None:
            raise self.make_error("invalid", input=value)
        return int(value)


class Seconds(fields.Float):
    """A number, in digits, which may have a fraction; however large, as what is waited is bounded elsewhere."""

    def _deserialize(self, value: Any, *args: Any, **options: Any) -> Any:
        if _NUMBER.fullmatch(value) is None:
            raise self.make_error("invalid", input=value)
        return float(value)


_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)


class Instant(fields.String):
    """A time in RFC 3339, with its offset from UTC."""

    def __init__(self, **options: Any) -> None:
        super().__init__(metadata={"format": "date-time"}, **options)

    def _deserialize(self, value: Any, *args: Any, **options: Any) -> Any:
        try:
            if _RFC_3339.fullmatch(value):
                return datetime.fromisoformat(value.upper())
        except ValueError:
            pass
        raise ValidationError("must be a time in RFC 3339 with its offset from UTC, such as 2026-11-30T21:36:12Z")


_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


class PageQuery(Schema):
    """What every list takes."""

    limit = Number(load_default=DEFAULT_LIMIT, validate=validate.Range(1, MAX_LIMIT))
    cursor = fields.String(validate=validate.Length(1, 2000))


class UsersQuery(PageQuery):
    """Which users."""

    email = Name(max_length=MAX_KEY_LENGTH)
    external_id = Name(max_length=MAX_KEY_LENGTH)
    role = Name()
    active = fields.Boolean(truthy={"true"}, falsy={"false"})
    source = fields.String(validate=validate.OneOf(SOURCES))
    search = Name()


class LogQuery(PageQuery):
    """Which entries of the provisioning log."""

    outcome = fields.String(validate=validate.OneOf(OUTCOMES))
    operation = fields.String(validate=validate.OneOf(OPERATIONS))
    email = Name(max_length=MAX_KEY_LENGTH)
    since = Instant()
    until = Instant()


class ChangesQuery(Schema):
    """From where on, how many, and how long to wait for the next."""

    limit = Number(load_default=DEFAULT_LIMIT, validate=validate.Range(1, MAX_LIMIT))
    after = fields.String(validate=validate.Length(1, 2000))
    wait = Seconds(load_default=0.0, validate=validate.Range(0))


class PreviewQuery(Schema):
    """The value that is to name a role."""

    name = Name(required=True)


class NoQuery(Schema):
    """No parameters at all."""


PAGE, USERS, LOG, CHANGES = PageQuery(), UsersQuery(), LogQuery(), ChangesQuery()
PREVIEW, NONE = PreviewQuery(), NoQuery()
