"""Bodies and command arguments outside SCIM, validated and normalised by marshmallow; made once, used for all."""

from collections.abc import Callable
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from scimsvc.protocol.json_text import is_storable
from scimsvc.protocol.limits import MAX_KEY_LENGTH

MAX_NAME_LENGTH = 200


def _printable(text: str) -> None:
    if not text.isprintable() or not is_storable(text):
        raise ValidationError("must be one line of printable characters")


def _not_blank(text: str) -> None:
    if not text.strip():
        raise ValidationError("must not be blank")


class Name(fields.String):
    """A name that people gave: one line, not blank."""

    def __init__(self, *, max_length: int = MAX_NAME_LENGTH, **options: Any) -> None:
        rules: list[Callable[[str], Any]] = [_not_blank, _printable, validate.Length(max=max_length)]
        super().__init__(validate=rules, **options)


class EnterpriseSchema(Schema):
    """A new enterprise."""

    name = Name(required=True)
    default_role = Name(required=True)
    roles = fields.List(Name(), load_default=list)
    scim_enabled = fields.Boolean(load_default=False)


class RoleSchema(Schema):
    """A role, new or changed."""

    name = Name()
    aliases = fields.List(Name())
    restrict_editing = fields.Boolean()


class IntegrationSchema(Schema):
    """A new integration."""

    name = Name(required=True)


class ManualUserSchema(Schema):
    """A manual user (contract section 8, ``/users``)."""

    email = Name(required=True, max_length=MAX_KEY_LENGTH)
    user_name = Name(required=True, max_length=MAX_KEY_LENGTH)
    given_name = Name()
    family_name = Name()
    phone = Name()
    title = Name()
    organization = Name()
    role = Name()
    external_id = Name(max_length=MAX_KEY_LENGTH)
    active = fields.Boolean(load_default=True)


class TokenRequestSchema(Schema):
    """The form of the token endpoint (RFC 6749 §4.4.2); an empty parameter counts as absent (§3.2)."""

    class Meta:
        """Unrecognised parameters are ignored (RFC 6749 §3.2)."""

        unknown = EXCLUDE

    grant_type = fields.String(required=True, error_messages={"required": "is missing; it must be client_credentials"})
    scope = fields.String()


class RevocationRequestSchema(Schema):
    """The form of the revocation endpoint (RFC 7009 §2.1)."""

    class Meta:
        """Unrecognised parameters are ignored; so is ``token_type_hint``, as there is one type."""

        unknown = EXCLUDE

    token = fields.String(required=True, error_messages={"required": "is missing; it must be the token to revoke"})


ENTERPRISE = EnterpriseSchema()
ROLE = RoleSchema()
INTEGRATION = IntegrationSchema()
MANUAL_USER = ManualUserSchema()
TOKEN_REQUEST = TokenRequestSchema()
REVOCATION_REQUEST = RevocationRequestSchema()


def load(schema: Schema, given: dict[str, Any]) -> dict[str, Any]:
    """Return ``given`` as ``schema`` normalises it; raises ``ValidationError``."""
    return dict(schema.load(given))


def messages_of(error: ValidationError) -> str:
    """Return every message of ``error`` in one line: ``name: must not be blank; roles: …``."""
    return "; ".join(_flattened(error.messages_dict, ()))


def _flattened(messages: Any, path: tuple[str, ...]) -> list[str]:
    if isinstance(messages, dict):
        return [line for name, below in messages.items() for line in _flattened(below, (*path, str(name)))]
    return [f"{'.'.join(path)}: {message.rstrip('.')}" for message in messages]
