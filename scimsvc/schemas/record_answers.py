"""The schemas of entries of the provisioning log, the audit log and the change feed in the enterprise API's answers."""

from marshmallow import Schema, fields, validate

from scimsvc.schemas.answer_fields import list_of as _list_of
from scimsvc.schemas.answer_fields import members as _members
from scimsvc.schemas.answer_fields import names as _names
from scimsvc.schemas.answer_fields import number as _number
from scimsvc.schemas.answer_fields import text as _text
from scimsvc.schemas.answer_fields import text_or_null as _text_or_null
from scimsvc.schemas.answer_fields import time as _time
from scimsvc.schemas.answer_fields import truth as _truth
from scimsvc.schemas.answer_fields import whole_number as _whole_number
from scimsvc.vocabulary import ACTIONS, ACTORS, CHANGE_TYPES


class LogEntry(Schema):
    """An entry of the provisioning log."""

    id = _text("The ID of the entry.")
    time = _time("The time of the request.")
    operation = _text("The operation.")
    user_id = _text_or_null("The ID of the user.")
    email = _text_or_null("The work e-mail address of the user.")
    user_name = _text_or_null("The userName of whom a refused request is about; null for other entries.")
    external_id = _text_or_null("The externalId of whom a refused request is about; null for other entries.")
    group_id = _text_or_null("The ID of the group.")
    group = _text_or_null("The name of the group.")
    outcome = _text("The outcome of the request.")
    status = _whole_number("The HTTP status.")
    scim_type = _text_or_null("The scimType of the error.")
    detail = _text_or_null("The detail of the error.")
    changed = _names("The names of changed attributes.")
    tolerances = _names("The tolerances that the request needed.")
    ignored = _names("The unknown attributes that were ignored.")
    client_id = _text("The client ID of the integration.")
    request_id = _text("The ID of the request, which the service's log contains too.")
    duration_ms = _number("The duration of the request, in milliseconds.")


class AuditActor(Schema):
    """The person or program that made a change."""

    type = _text("The kind of actor.", validate=validate.OneOf(ACTORS))
    name = _text("The e-mail address, the name of the integration, or the name of the user of the shell.")
    id = _text_or_null("The ID of the account, the client ID, or the number of the user of the shell.")


class AuditTarget(Schema):
    """The object of an action."""

    type = _text("The kind of object.")
    id = _text_or_null("The ID of the object.")
    name = _text_or_null("The name of the object at that time.")


class AuditEntry(Schema):
    """An entry of the audit log."""

    id = _text("The ID of the entry.")
    time = _time("The time of the action.")
    actor = fields.Nested(AuditActor, required=True, metadata={"description": "The person or program."})
    address = _text_or_null("The network address of the actor; null for a command.")
    action = _text("The action.", validate=validate.OneOf(ACTIONS))
    target = fields.Nested(AuditTarget, required=True, metadata={"description": "The object of the action."})
    before = _members("The changed members before the action. Of lists, only removed elements.")
    after = _members("The changed members after the action. Of lists, only new elements.")
    request_id = _text_or_null("The ID of the request; null for a command.")


class Change(Schema):
    """A change of a user or a group. For a group, the members of a user are null."""

    cursor = _text("The cursor of the change.")
    time = _time("The time of the change.")
    type = _text("The type of the change.", validate=validate.OneOf(CHANGE_TYPES))
    user_id = _text_or_null("The ID of the user.")
    email = _text_or_null("The work e-mail address after the change.")
    changed = _names("The SCIM names of changed attributes. Attributes of the extension have short names.")
    role = _text_or_null("The name of the role after the change.")
    active = _truth("Whether the user was active after the change.", allow_none=True)
    old_role = _text_or_null("The name of the role before the change; null for a new user.")
    old_active = _truth("Whether the user was active before the change; null for a new user.", allow_none=True)
    group_id = fields.String(metadata={"description": "The ID of the group. Only in changes of groups."})
    group = fields.String(
        metadata={"description": "The name of the group after the change. Only in changes of groups."}
    )
    members = fields.List(
        fields.String(),
        allow_none=True,
        metadata={"description": "The IDs of users who joined or left, at most 1,000. Only in changes of groups."},
    )


class Changes(Schema):
    """A page of the change feed."""

    items = _list_of(Change, "The changes, in commit order.")
    next = _text("The cursor to send as `after` in the next request, also if the page is empty.")
