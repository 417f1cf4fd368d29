"""The schemas of the enterprise API's answers, for its description. A test compares answers with them."""

from typing import Any

from marshmallow import INCLUDE, Schema, fields, validate

from scimsvc.protocol.custom_attributes import TYPES
from scimsvc.schemas.answer_fields import list_of as _list_of
from scimsvc.schemas.answer_fields import names as _names
from scimsvc.schemas.answer_fields import number as _number
from scimsvc.schemas.answer_fields import text as _text
from scimsvc.schemas.answer_fields import text_or_null as _text_or_null
from scimsvc.schemas.answer_fields import time as _time
from scimsvc.schemas.answer_fields import time_or_null as _time_or_null
from scimsvc.schemas.answer_fields import truth as _truth
from scimsvc.schemas.answer_fields import whole_number as _whole_number
from scimsvc.schemas.bodies import RemovalLimitSchema
from scimsvc.vocabulary import OUTCOMES, ROLE_SOURCES, SEVERAL_ROLES, SOURCES


class Enterprise(Schema):
    """The enterprise and its settings."""

    id = _text("The ID of the enterprise.")
    name = _text("The name of the enterprise.")
    scim_enabled = _truth("Whether SCIM provisioning is enabled.")
    default_role = _text("The name of the role of users without an assigned role.")
    unique_user_name = _truth("Whether each userName must be unique.")
    unique_group_name = _truth("Whether each name of a group must be unique.")
    reject_unknown_attributes = _truth("Whether attributes that are not in any schema are refused.")
    several_roles = _text("The meaning of several roles without a primary one.", validate=validate.OneOf(SEVERAL_ROLES))
    removal_limit = fields.Nested(
        RemovalLimitSchema,
        required=True,
        allow_none=True,
        metadata={"description": "The removal limit; null for no limit."},
    )
    alert_refusals = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "The number of open refusals that raises an alert; null for no such alerts."},
    )
    paused = _truth("Whether SCIM writes are paused.")


class Role(Schema):
    """A role."""

    id = _text("The ID of the role.")
    name = _text("The name of the role.")
    aliases = _names("Other app role values that map to the role.")
    groups = _names("The groups that give the role.")
    position = _whole_number("The place in the enterprise's order, from 1.")
    restrict_editing = _truth("Whether users with the role cannot edit their own title and organization.")
    is_default = _truth("Whether the role is the default role.")
    users = _whole_number("The number of users with the role, including users on the default role.")


class Waiting(Schema):
    """A user who was refused because of an unknown role."""

    email = _text_or_null("The work e-mail address in the refused request.")
    user_id = _text_or_null("The ID of the user, for a refused change.")
    time = _time("The time of the refusal.")


class RolePreview(Schema):
    """The role to which an app role value maps, its users, and the users who wait for it."""

    name = _text("The app role value.")
    role = _text_or_null("The name of the role; null if no role has this name or alias.")
    users = _whole_number("The number of users with the role.")
    waiting = _list_of(Waiting, "Users who were refused because of this value.")
    on_default = _whole_number("The number of users on the default role.")


class ChangedRole(Schema):
    """A user whom a change of a role would change."""

    email = _text("The work e-mail address.")
    user_id = _text("The ID of the user.")
    old_role = _text("The name of the present role.")
    role = _text("The name of the role after the change.")


class RoleChangePreview(Schema):
    """The users whom a change of a role would change."""

    users = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "The number of users; null if the preview takes longer than other writers may wait."},
    )
    changes = _list_of(ChangedRole, "The first of the users, at most 20.")


class Integration(Schema):
    """An integration of the enterprise."""

    id = _text("The ID of the integration.")
    name = _text("The name of the integration.")
    client_id = _text("The client ID for the token endpoint.")
    scope = _text_or_null("The scope to which its tokens are limited; null for no limit.")
    provider = _text_or_null("The identity provider that uses it; null if it is unknown.")
    created_at = _time("The time of creation.")
    last_used_at = _time_or_null("The time of the last request with one of its tokens.")


class IntegrationWithSecret(Integration):
    """An integration with its secret, which is shown only once."""

    client_secret = _text("The client secret. It is shown only once.")


class RevokedIntegration(Integration):
    """An integration that was revoked."""

    warning = _text_or_null("A warning if this was the last integration.")


class Token(Schema):
    """An access token, without its text."""

    id = _text("The ID of the token.")
    name = _text_or_null("The name of the token.")
    scope = _text("The scope of the token.")
    client_id = _text("The client ID of the integration.")
    created_by = _text_or_null("The kind and name of the account, the integration or the shell user that created it.")
    issued_at = _time("The time of issue.")
    expires_at = _time("The time of expiry.")
    days_left = _number("The number of days until the token expires.")
    last_used_at = _time_or_null("The time of the last request with the token.")
    revoked_at = _time_or_null("The time of revocation.")
    key_id = _text_or_null("The ID of the key that signed the token; null for tokens of earlier versions.")
    verifiable = _truth("Whether the server has the key that signed the token.")


class IssuedToken(Schema):
    """An access token, which is shown only once."""

    access_token = _text("The access token. It is shown only once.")
    expires_in = _whole_number("The lifetime, in seconds.")
    scope = _text("The scope of the token.")
    id = _text("The ID of the token.")
    name = _text_or_null("The name of the token.")
    expires_at = _time("The time of expiry.")


class Directory(Schema):
    """The directory values of a user, which SCIM answers contain."""

    title = _text_or_null("The title in the directory.")
    organization = _text_or_null("The organization in the directory.")


class User(Schema):
    """A user with effective values."""

    id = _text("The ID of the user.")
    email = _text("The work e-mail address.")
    user_name = _text("The userName.")
    given_name = _text_or_null("The given name.")
    family_name = _text_or_null("The family name.")
    phone = _text_or_null("The work phone number.")
    title = _text_or_null("The effective title.")
    organization = _text_or_null("The effective organization.")
    directory = fields.Nested(
        Directory,
        required=True,
        allow_none=True,
        metadata={"description": "The directory values; null for a manual user."},
    )
    role = _text("The name of the role.")
    role_source = _text("Why the user has the role.", validate=validate.OneOf(ROLE_SOURCES))
    active = _truth("Whether the user may use the application.")
    source = _text("The source of the user.", validate=validate.OneOf(SOURCES))
    external_id = _text_or_null("The identifier in the directory or in another system.")
    created_at = _time("The time of creation.")
    modified_at = _time("The time of the last change.")
    version = _whole_number("The version, which every change increases.")


class UserGroup(Schema):
    """A group of a user."""

    id = _text("The ID of the group.")
    name = _text("The name of the group.")


class UserDetails(User):
    """A user with effective values, the groups and custom attributes."""

    groups = _list_of(UserGroup, "The groups of the user.")
    custom = fields.Dict(required=True, metadata={"description": "The values of custom attributes by full name."})
    confirmed_at = _time_or_null(
        "When the directory last read, found or wrote the user; null if it never did. Can be an hour old."
    )


class Group(Schema):
    """A group of users, which the identity provider sends."""

    id = _text("The ID of the group.")
    name = _text("The name of the group.")
    external_id = _text_or_null("The identifier in the directory.")
    members = _whole_number("The number of members.")
    role = _text_or_null("The name of the role that the group gives; null if it gives none.")
    created_at = _time("The time of creation.")
    modified_at = _time("The time of the last change, also of members.")
    version = _whole_number("The version, which every change increases, also of members.")


class GroupMember(Schema):
    """A member of a group."""

    id = _text("The ID of the user.")
    email = _text("The work e-mail address.")
    user_name = _text("The userName.")
    active = _truth("Whether the user may use the application.")


class Attribute(Schema):
    """A custom attribute."""

    id = _text("The ID of the attribute.")
    name = _text("The full name: the URN of the extension schema, a colon and the attribute.")
    type = _text("The type of the values.", validate=validate.OneOf(TYPES))
    multi_valued = _truth("Whether a user may have several values.")
    case_exact = _truth("Whether upper and lower case differ in comparisons of strings.")
    removing = _truth("Whether the attribute is being removed. Repeat the removal to finish it.")


class Explanation(Schema):
    """The effect of a SCIM request. Other members depend on the request."""

    class Meta:
        """The interpreted request, the user, the changes and the role have no fixed shape."""

        unknown = INCLUDE

    outcome = _text("The outcome of the request.", validate=validate.OneOf(OUTCOMES))
    status = _whole_number("The HTTP status.")
    operation = _text("The operation.")
    tolerances = _names("The tolerances that the request needs.")
    ignored = _names("The unknown attributes that are ignored.")
    kept = fields.List(fields.Dict(), metadata={"description": "The values that a disabled user keeps, and why."})
    role_changes = fields.List(
        fields.Nested(ChangedRole),
        metadata={"description": "The first users whose role a request about a group changes, at most 100."},
    )
    scim_type = fields.String(allow_none=True, metadata={"description": "The scimType of the error."})
    detail = fields.String(metadata={"description": "The detail of the error."})


class FieldError(Schema):
    """An error in one field."""

    field = _text("The name of the field.")
    detail = _text("The value to enter instead.")


class Problem(Schema):
    """A refusal (RFC 9457)."""

    type = _text("The type, always about:blank.")
    status = _whole_number("The HTTP status.")
    title = _text("The reason phrase of the status.")
    detail = _text("The error, and what to do about it.")
    errors = fields.List(fields.Nested(FieldError), metadata={"description": "Every invalid field."})


def page_of(items: type[Schema]) -> type[Schema]:
    """Return the schema of a page of ``items``."""
    members: dict[str, Any] = {
        "items": _list_of(items, "The items of the page."),
        "next": _text_or_null("The cursor of the next page; null on the last page."),
    }
    return Schema.from_dict(members, name=f"{items.__name__}Page")
