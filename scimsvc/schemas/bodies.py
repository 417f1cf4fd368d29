"""The schemas of bodies and command arguments; each is created once and used by all."""

from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate, validates_schema

from scimsvc.protocol.limits import MAX_KEY_LENGTH
from scimsvc.schemas.field_types import EmailAddress, Name, Names, Number, TruthValue, WholeNumber
from scimsvc.vocabulary import SCIM_SCOPE, SCOPES

MAX_ALIASES = 100


class EnterpriseSchema(Schema):
    """A new enterprise."""

    name = Name(required=True)
    default_role = Name(required=True)
    roles = Names(load_default=list)
    scim_enabled = TruthValue(load_default=False)


class RemovalLimitSchema(Schema):
    """How many users may be disabled or deleted within some hours: a number, a percentage, or the smaller of both."""

    users = WholeNumber(0, 10_000_000, allow_none=True)
    percent = WholeNumber(1, 100, allow_none=True)
    hours = WholeNumber(1, 24 * 366)

    @validates_schema
    def _limits_something(self, members: dict[str, Any], **_: Any) -> None:
        if members.get("users") is None and members.get("percent") is None:
            raise ValidationError("needs users or percent, or both", "users")


class EnterpriseChangesSchema(Schema):
    """What may be changed of an enterprise (contract section 8, ``/enterprise``)."""

    scim_enabled = TruthValue()
    default_role = Name()
    unique_user_name = TruthValue()
    reject_unknown_attributes = TruthValue()
    removal_limit = fields.Nested(RemovalLimitSchema, allow_none=True)
    paused = TruthValue()


class RoleSchema(Schema):
    """A role (contract section 8, ``/roles``)."""

    name = Name(required=True)
    aliases = Names(load_default=list, validate=validate.Length(max=MAX_ALIASES))
    restrict_editing = TruthValue(load_default=False)
    is_default = TruthValue(validate=validate.OneOf((True,), error="can be made true alone; then another role is not"))


class IntegrationSchema(Schema):
    """An integration (contract section 8, ``/integrations``)."""

    name = Name(required=True)


class RotationSchema(Schema):
    """How long the secret before stays good."""

    overlap_hours = Number(0, 24 * 365, load_default=0.0)


class TokenSchema(Schema):
    """A token to issue (contract section 8, ``/tokens``); by the first integration unless told otherwise."""

    scope = fields.String(load_default=SCIM_SCOPE, validate=validate.OneOf(SCOPES))
    days = WholeNumber(1, 3650)
    client_id = Name()


class ManualUserSchema(Schema):
    """A manual user (contract section 8, ``/users``)."""

    email = EmailAddress(required=True, max_length=MAX_KEY_LENGTH)
    user_name = Name(required=True, max_length=MAX_KEY_LENGTH)
    given_name = Name(allow_none=True)
    family_name = Name(allow_none=True)
    phone = Name(allow_none=True)
    title = Name(allow_none=True)
    organization = Name(allow_none=True)
    role = Name(allow_none=True)
    external_id = Name(max_length=MAX_KEY_LENGTH, allow_none=True)
    active = TruthValue(load_default=True)


class AdminSchema(Schema):
    """An account of the console."""

    email = EmailAddress(required=True, max_length=MAX_KEY_LENGTH)


class ProfileSchema(Schema):
    """What a user may edit of its own (contract section 6); null takes a value away."""

    title = Name(allow_none=True)
    organization = Name(allow_none=True)


class ExplainSchema(Schema):
    """A SCIM request to be explained (contract section 8, ``/explain``)."""

    method = fields.String(required=True, validate=validate.OneOf(("GET", "POST", "PUT", "PATCH", "DELETE")))
    path = Name(required=True, max_length=10_000)
    body = fields.Raw(allow_none=True)


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
ENTERPRISE_CHANGES = EnterpriseChangesSchema()
ROLE = RoleSchema()
INTEGRATION = IntegrationSchema()
ROTATION = RotationSchema()
TOKEN = TokenSchema()
MANUAL_USER = ManualUserSchema()
ADMIN = AdminSchema()
PROFILE = ProfileSchema()
EXPLAIN = ExplainSchema()
TOKEN_REQUEST = TokenRequestSchema()
REVOCATION_REQUEST = RevocationRequestSchema()
