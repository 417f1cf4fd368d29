"""What the enterprise API answers, for its description; a test holds the answers to it."""

from typing import Any

from marshmallow import INCLUDE, Schema, fields, validate

from scimsvc.schemas.bodies import RemovalLimitSchema
from scimsvc.vocabulary import CHANGE_TYPES, OUTCOMES, SOURCES


def _text(**options: Any) -> fields.String:
    return fields.String(required=True, **options)


def _maybe(**options: Any) -> fields.String:
    return fields.String(required=True, allow_none=True, **options)


def _time() -> fields.String:
    return fields.String(required=True, metadata={"format": "date-time"})


def _maybe_time() -> fields.String:
    return fields.String(required=True, allow_none=True, metadata={"format": "date-time"})


def _names() -> fields.List[Any]:
    return fields.List(fields.String(), required=True)


class Enterprise(Schema):
    """The enterprise and its settings."""

    id = _text()
    name = _text()
    scim_enabled = fields.Boolean(required=True)
    default_role = _text()
    unique_user_name = fields.Boolean(required=True)
    reject_unknown_attributes = fields.Boolean(required=True)
    removal_limit = fields.Nested(RemovalLimitSchema, required=True, allow_none=True)
    paused = fields.Boolean(required=True)


class Role(Schema):
    """A role; ``users`` counts those who have it, on the default role too."""

    id = _text()
    name = _text()
    aliases = _names()
    restrict_editing = fields.Boolean(required=True)
    is_default = fields.Boolean(required=True)
    users = fields.Integer(required=True)


class Waiting(Schema):
    """Somebody who was refused for a role that there is not."""

    email = _maybe()
    user_id = _maybe()
    time = _time()


class RolePreview(Schema):
    """Who has, and who would get, the role that a value names."""

    name = _text()
    role = _maybe()
    users = fields.Integer(required=True)
    waiting = fields.List(fields.Nested(Waiting), required=True)
    on_default = fields.Integer(required=True)


class Integration(Schema):
    """A client of the enterprise."""

    id = _text()
    name = _text()
    client_id = _text()
    created_at = _time()
    last_used_at = _maybe_time()


class IntegrationWithSecret(Integration):
    """The same with its secret, which is shown this once."""

    client_secret = _text()


class RevokedIntegration(Integration):
    """The same once it is ended; ``warning`` tells that it was the last one."""

    warning = _maybe()


class Token(Schema):
    """An access token, without itself."""

    id = _text()
    scope = _text()
    client_id = _text()
    issued_at = _time()
    expires_at = _time()
    days_left = fields.Float(required=True)
    last_used_at = _maybe_time()
    revoked_at = _maybe_time()


class IssuedToken(Schema):
    """An access token, which is shown this once; ``expires_in`` is in seconds."""

    access_token = _text()
    expires_in = fields.Integer(required=True)
    scope = _text()
    id = _text()
    expires_at = _time()


class Directory(Schema):
    """The directory's values, which SCIM answers."""

    title = _maybe()
    organization = _maybe()


class User(Schema):
    """A user; ``title`` and ``organization`` are the effective ones."""

    id = _text()
    email = _text()
    user_name = _text()
    given_name = _maybe()
    family_name = _maybe()
    phone = _maybe()
    title = _maybe()
    organization = _maybe()
    directory = fields.Nested(Directory, required=True, allow_none=True)
    role = _text()
    active = fields.Boolean(required=True)
    source = _text(validate=validate.OneOf(SOURCES))
    external_id = _maybe()
    created_at = _time()
    modified_at = _time()
    version = fields.Integer(required=True)


class LogEntry(Schema):
    """An entry of the provisioning log."""

    id = _text()
    time = _time()
    operation = _text()
    user_id = _maybe()
    email = _maybe()
    outcome = _text()
    status = fields.Integer(required=True)
    scim_type = _maybe()
    detail = _maybe()
    changed = _names()
    tolerances = _names()
    ignored = _names()
    client_id = _text()
    request_id = _text()
    duration_ms = fields.Float(required=True)


class Change(Schema):
    """A change of a user; ``changed`` names attributes as SCIM does, the extension's by their short names."""

    cursor = _text()
    time = _time()
    type = _text(validate=validate.OneOf(CHANGE_TYPES))
    user_id = _text()
    email = _text()
    changed = _names()
    role = _text()
    active = fields.Boolean(required=True)
    old_role = _maybe()
    old_active = fields.Boolean(required=True, allow_none=True)


class Changes(Schema):
    """A page of the change feed; ``next`` is what ``after`` is to be in the next request, always."""

    items = fields.List(fields.Nested(Change), required=True)
    next = _text()


class Explanation(Schema):
    """What a SCIM request would do; further members depend on what was asked."""

    class Meta:
        """The request as it is understood, the user, the changes and the role have no one shape."""

        unknown = INCLUDE

    outcome = _text(validate=validate.OneOf(OUTCOMES))
    status = fields.Integer(required=True)
    operation = _text()
    tolerances = _names()
    ignored = _names()
    scim_type = fields.String(allow_none=True)
    detail = fields.String()


class FieldError(Schema):
    """What is wrong with one field."""

    field = _text()
    detail = _text()


class Problem(Schema):
    """A refusal (RFC 9457); ``errors`` lists every wrong field."""

    type = _text()
    status = fields.Integer(required=True)
    title = _text()
    detail = _text()
    errors = fields.List(fields.Nested(FieldError))


def page_of(items: type[Schema]) -> type[Schema]:
    """Return the schema of a page of ``items``; ``next`` is the cursor of the next page, or null."""
    members: dict[str, Any] = {
        "items": fields.List(fields.Nested(items), required=True),
        "next": _maybe(),
    }
    return Schema.from_dict(members, name=f"{items.__name__}Page")
