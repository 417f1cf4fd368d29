"""The schemas of bodies and command arguments. Each is created once and shared."""

from typing import Any

from marshmallow import EXCLUDE, ValidationError, fields, validate, validates_schema

from scimsvc.protocol.custom_attributes import LONGEST_NAME, NAME_PATTERN, TYPES, find_fault
from scimsvc.protocol.limits import MAX_KEY_LENGTH
from scimsvc.schemas.field_types import (
    EmailAddress,
    InputSchema,
    Line,
    Name,
    Names,
    Number,
    Text,
    TruthValue,
    WholeNumber,
    at_most,
    one_of,
)
from scimsvc.schemas.queries import Instant
from scimsvc.vocabulary import EVENT_PATTERNS, EVENT_TYPES, PAYLOADS, PROVIDERS, SCIM_SCOPE, SCOPES, SEVERAL_ROLES, THIN

MAX_ALIASES = 100
MAX_ROLE_GROUPS = 100
MAX_URL_LENGTH = 2_000
#: The URLs with host names that ``sending.check_url`` accepts, as JSON Schema.
_LABEL = "[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_URL_PATTERN = (
    rf"^https://({_LABEL}\.)*[a-z]([a-z0-9-]{{0,61}}[a-z0-9])?(:[1-9][0-9]{{0,3}})?([/?][!$-;=?-\[\]_a-z~]*)?$"
)
#: Hours for which the secret of a webhook also signs after a rotation.
WEBHOOK_OVERLAP_HOURS = 24.0


class EnterpriseSchema(InputSchema):
    """A new enterprise."""

    name = Name("The name of the enterprise.", required=True)
    default_role = Name("The role of users without an assigned role.", required=True)
    roles = Names("The names of other roles.", load_default=list)
    scim_enabled = TruthValue("Whether SCIM provisioning is enabled.", load_default=False)


class RemovalLimitSchema(InputSchema):
    """A limit on disabled and deleted users per period: a number, a percentage, or the smaller of both."""

    users = WholeNumber(0, 10_000_000, "The maximum number of users that can be disabled or deleted.", allow_none=True)
    percent = WholeNumber(1, 100, "The maximum percentage of users that can be disabled or deleted.", allow_none=True)
    hours = WholeNumber(1, 24 * 366, "The period, in hours.")

    @validates_schema
    def _limits_something(self, members: dict[str, Any], **_: Any) -> None:
        if members.get("users") is None and members.get("percent") is None:
            raise ValidationError("Enter a number of users, a percentage, or both.", "users")


class EnterpriseChangesSchema(InputSchema):
    """Changes of an enterprise (contract section 8, ``/enterprise``)."""

    scim_enabled = TruthValue("Whether SCIM provisioning is enabled.")
    default_role = Name("The name of the role of users without an assigned role.")
    unique_user_name = TruthValue("Whether each userName must be unique.")
    unique_group_name = TruthValue("Whether each name of a group must be unique.")
    reject_unknown_attributes = TruthValue("Whether attributes that are not in any schema are refused.")
    several_roles = Text(
        "The meaning of several roles without a primary one: refuse, or highest for the first in order.",
        validate=one_of(SEVERAL_ROLES),
    )
    removal_limit = fields.Nested(
        RemovalLimitSchema, allow_none=True, metadata={"description": "The removal limit; null for no limit."}
    )
    alert_refusals = WholeNumber(
        1, 1_000_000, "The number of open refusals that raises an alert; null for no such alerts.", allow_none=True
    )
    paused = TruthValue("Whether SCIM writes are paused.")


class SuspensionSchema(InputSchema):
    """The suspension of an enterprise."""

    reason = Line("The reason that the enterprise's people and programs see.", max_length=500, load_default="")


class RoleSchema(InputSchema):
    """A role (contract section 8, ``/roles``)."""

    name = Name("The name of the role.", required=True)
    aliases = Names(
        "Other app role values that map to the role.", load_default=list, validate=at_most(MAX_ALIASES, "aliases")
    )
    restrict_editing = TruthValue(
        "Whether users with the role cannot edit their own title and organization.", load_default=False
    )
    groups = Names(
        "The groups that give the role, by displayName or externalId, also before they exist.",
        load_default=list,
        validate=at_most(MAX_ROLE_GROUPS, "groups"),
    )
    position = WholeNumber(
        1, 1_000_000, "The place in the enterprise's order, from 1. A number beyond the last place means that place."
    )
    is_default = TruthValue(
        "Whether the role is the default role. It can only be set to true.",
        validate=validate.OneOf((True,), error="Enter true. Another role stops being the default role."),
    )


class IntegrationSchema(InputSchema):
    """An integration (contract section 8, ``/integrations``)."""

    name = Name("The name of the integration.", required=True)
    scope = Text(
        "The scope to which its tokens are limited; null for no limit. It can only be narrowed.",
        allow_none=True,
        validate=one_of(SCOPES),
    )
    provider = Text(
        "The identity provider that uses it, for the words of errors; null if it is unknown.",
        allow_none=True,
        validate=one_of(PROVIDERS),
    )


class RotationSchema(InputSchema):
    """The rotation of a client secret."""

    overlap_hours = Number(0, 24 * 365, "How long the previous secret stays valid, in hours.", load_default=0.0)


class TokenSchema(InputSchema):
    """A new token (contract section 8, ``/tokens``), issued to the first integration by default."""

    scope = Text("The scope of the token.", load_default=SCIM_SCOPE, validate=one_of(SCOPES))
    days = WholeNumber(1, 3650, "The lifetime, in days. The default is a global setting.")
    client_id = Name("The client ID of the integration. The default is the oldest integration that may have the scope.")
    name = Name("A name for the token.", allow_none=True)


class ManualUserSchema(InputSchema):
    """A manual user (contract section 8, ``/users``)."""

    email = EmailAddress(
        "The work e-mail address, unique within the enterprise.", required=True, max_length=MAX_KEY_LENGTH
    )
    user_name = Name("The userName.", required=True, max_length=MAX_KEY_LENGTH)
    given_name = Name("The given name.", allow_none=True)
    family_name = Name("The family name.", allow_none=True)
    phone = Name("The work phone number.", allow_none=True)
    title = Name("The title.", allow_none=True)
    organization = Name("The organization.", allow_none=True)
    role = Name("The name or an alias of the role; null for the default role.", allow_none=True)
    external_id = Name("The identifier in another system.", max_length=MAX_KEY_LENGTH, allow_none=True)
    active = TruthValue("Whether the user may use the application.", load_default=True)


class AdminSchema(InputSchema):
    """An account of the console."""

    email = EmailAddress("The e-mail address of the account.", required=True, max_length=MAX_KEY_LENGTH)


class AttributeName(Name):
    """The full name of a custom attribute."""

    def __init__(self, description: str = "", **options: Any) -> None:
        super().__init__(description, metadata={"pattern": NAME_PATTERN}, max_length=LONGEST_NAME, **options)

    def _deserialize(self, value: Any, *args: Any, **options: Any) -> Any:
        name = super()._deserialize(value, *args, **options)
        fault = find_fault(name)
        if fault is not None:
            raise ValidationError(fault)
        return name


class AttributeSchema(InputSchema):
    """A custom attribute (contract section 8, ``/attributes``)."""

    name = AttributeName(
        "The full name: the URN of an extension schema, a colon and the attribute.",
        required=True,
    )
    type = Text("The type of the values.", load_default=TYPES[0], validate=one_of(TYPES))
    multi_valued = TruthValue("Whether a user may have several values.", load_default=False)
    case_exact = TruthValue("Whether upper and lower case differ in comparisons of strings.", load_default=False)


class ProfileSchema(InputSchema):
    """A user's edits of the own profile (contract section 6). The value null removes an edit."""

    title = Name("The title; null for no title.", allow_none=True)
    organization = Name("The organization; null for no organization.", allow_none=True)


class ExplainSchema(InputSchema):
    """A SCIM request to explain (contract section 8, ``/explain``)."""

    method = Text(
        "The method of the request.", required=True, validate=one_of(("GET", "POST", "PUT", "PATCH", "DELETE"))
    )
    path = Name("The path of the request, such as /Users; or its URL.", required=True, max_length=10_000)
    body = fields.Raw(allow_none=True, metadata={"description": "The body of the request."})


class WebhookSchema(InputSchema):
    """A webhook (contract section 8, ``/webhooks``)."""

    url = Line(
        "The URL that gets the messages: https, without a user name.",
        required=True,
        max_length=MAX_URL_LENGTH,
        metadata={"pattern": _URL_PATTERN},
    )
    types = Names(
        "The types of events that are sent, or patterns for all types of one kind.",
        of=Text(validate=one_of((*EVENT_PATTERNS, *EVENT_TYPES))),
        load_default=lambda: list(EVENT_PATTERNS),
        validate=validate.Length(1, 100, error="Enter at least one type, such as user.*."),
    )
    payload = Text(
        "The payload: thin for the entry of the change feed, full for that with the user or group as it is now.",
        load_default=THIN,
        validate=one_of(PAYLOADS),
    )
    enabled = TruthValue("Whether messages are sent. Enabling continues at the cursor.", load_default=True)


class WebhookRotationSchema(InputSchema):
    """The rotation of a webhook's secret."""

    overlap_hours = Number(
        0, 24 * 365, "How long the previous secret also signs, in hours.", load_default=WEBHOOK_OVERLAP_HOURS
    )


class ReplaySchema(InputSchema):
    """The position from which a webhook sends again: a cursor or a time."""

    cursor = Text(
        "The cursor of the change feed after which messages are sent again.",
        validate=validate.Length(1, 2000, error="Enter a cursor of the change feed."),
    )
    since = Instant("The time from which messages are sent again.")

    @validates_schema
    def _has_one(self, members: dict[str, Any], **_: Any) -> None:
        if len(members) != 1:
            raise ValidationError("Enter either a cursor or a time.", "since")


class TokenRequestSchema(InputSchema):
    """The form of the token endpoint (RFC 6749 §4.4.2). An empty parameter counts as absent (§3.2)."""

    class Meta:
        """Unrecognized parameters are ignored (RFC 6749 §3.2)."""

        unknown = EXCLUDE

    grant_type = Text(required=True, error_messages={"required": "This parameter is missing. Send client_credentials."})
    scope = Text()


class RevocationRequestSchema(InputSchema):
    """The form of the revocation endpoint (RFC 7009 §2.1)."""

    class Meta:
        """Unrecognized parameters are ignored. So is ``token_type_hint``, because tokens have only one type."""

        unknown = EXCLUDE

    token = Text(required=True, error_messages={"required": "This parameter is missing. Send the token to revoke."})


ENTERPRISE = EnterpriseSchema()
ENTERPRISE_CHANGES = EnterpriseChangesSchema()
SUSPENSION = SuspensionSchema()
ROLE = RoleSchema()
INTEGRATION = IntegrationSchema()
ROTATION = RotationSchema()
TOKEN = TokenSchema()
MANUAL_USER = ManualUserSchema()
ADMIN = AdminSchema()
ATTRIBUTE = AttributeSchema()
PROFILE = ProfileSchema()
WEBHOOK = WebhookSchema()
WEBHOOK_ROTATION = WebhookRotationSchema()
REPLAY = ReplaySchema()
EXPLAIN = ExplainSchema()
TOKEN_REQUEST = TokenRequestSchema()
REVOCATION_REQUEST = RevocationRequestSchema()
