"""The query parameters of the enterprise API's lists. Every value is sent as text."""

import re
from datetime import UTC, datetime
from typing import Any

from marshmallow import ValidationError, fields, validate

from scimsvc.protocol.limits import MAX_KEY_LENGTH
from scimsvc.protocol.reasons import Reason
from scimsvc.schemas.field_types import InputSchema, Name, Text, one_of
from scimsvc.schemas.limits import DEFAULT_LIMIT, MAX_LIMIT, MAX_WAIT, SPANS
from scimsvc.vocabulary import (
    ACTIONS,
    BY_USER_NAME,
    CHANGE_TYPES,
    EFFECT_GROUPS,
    OPERATIONS,
    OUTCOMES,
    SOURCES,
    USER_SORTS,
    WITHOUT,
)


class Limit(fields.Integer):
    """The maximum number of items on a page, in digits."""

    def __init__(self) -> None:
        message = f"Enter a whole number from 1 to {MAX_LIMIT:,}."
        super().__init__(
            load_default=DEFAULT_LIMIT,
            validate=validate.Range(1, MAX_LIMIT, error=message),
            error_messages={"invalid": message},
            metadata={"description": "The maximum number of items on the page."},
        )

    def _deserialize(self, value: Any, *args: Any, **options: Any) -> Any:
        if re.fullmatch(r"-?[0-9]{1,9}", value) is None:
            raise self.make_error("invalid", input=value)
        return int(value)


class Seconds(fields.Float):
    """A number in digits, which may have a fraction. It has no maximum here, because the feed limits the wait."""

    def __init__(self, description: str) -> None:
        message = "Enter a number of seconds, 0 or more."
        super().__init__(
            load_default=0.0,
            validate=validate.Range(0, error=message),
            error_messages={"invalid": message},
            metadata={"description": description},
        )

    def _deserialize(self, value: Any, *args: Any, **options: Any) -> Any:
        if _NUMBER.fullmatch(value) is None:
            raise self.make_error("invalid", input=value)
        return float(value)


_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)


class Instant(Text):
    """A time in RFC 3339, with its offset from UTC. It is read as a time in UTC, or as the nearest one that exists."""

    def __init__(self, description: str) -> None:
        super().__init__(description, metadata={"format": "date-time"})

    def _deserialize(self, value: Any, *args: Any, **options: Any) -> Any:
        text = super()._deserialize(value, *args, **options)
        try:
            if _RFC_3339.fullmatch(text):
                return _in_utc(datetime.fromisoformat(text.upper()))
        except ValueError:
            pass
        raise ValidationError("Enter a time in RFC 3339 with its offset from UTC, such as 2026-11-30T21:36:12Z.")


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # the first and the last day of the calendar may be outside of it in UTC
        return datetime.min.replace(tzinfo=UTC) if moment.year == 1 else datetime.max.replace(tzinfo=UTC)


_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def _cursor(description: str) -> Text:
    return Text(description, validate=validate.Length(1, 2000, error="Enter a cursor from an earlier response."))


class PageQuery(InputSchema):
    """The parameters of every list."""

    limit = Limit()
    cursor = _cursor("The `next` of the previous page.")


class Truth(fields.Boolean):
    """A truth value."""

    def __init__(self, description: str) -> None:
        super().__init__(
            truthy={"true"},
            falsy={"false"},
            error_messages={"invalid": "Enter true or false."},
            metadata={"description": description},
        )


class UsersQuery(PageQuery):
    """Filters of users."""

    email = Name("Only the user with this work e-mail address.", max_length=MAX_KEY_LENGTH)
    external_id = Name("Only the user with this external ID.", max_length=MAX_KEY_LENGTH)
    role = Name("Only users with this role, by name or alias.")
    group = Name("Only members of this group, by ID or name.", max_length=MAX_KEY_LENGTH)
    active = Truth("Only users who are active (true) or disabled (false).")
    source = Text("Only users from this source.", validate=one_of(SOURCES))
    search = Name("Only users whose e-mail address or userName contains this text.")


class UserSearchQuery(PageQuery):
    """Words, filters and the sort order of the console's list of users."""

    search = Name("Only users with each of these words.")
    role = Name("Only users with this role, by name or alias.")
    group = Name("Only members of this group, by ID or name.", max_length=MAX_KEY_LENGTH)
    active = Truth("Only users who are active (true) or disabled (false).")
    source = Text("Only users from this source.", validate=one_of(SOURCES))
    sort = Text("The sort order; descending with a hyphen.", load_default=BY_USER_NAME, validate=one_of(USER_SORTS))


class GroupsQuery(PageQuery):
    """Filters of groups."""

    name = Name("Only groups with this name, ignoring case.", max_length=MAX_KEY_LENGTH)
    external_id = Name("Only groups with this external ID.", max_length=MAX_KEY_LENGTH)
    search = Name("Only groups whose name or external ID contains this text.")


class LogQuery(PageQuery):
    """Filters of entries of the provisioning log."""

    outcome = Text("Only entries with this outcome.", validate=one_of(OUTCOMES))
    operation = Text("Only entries of this operation.", validate=one_of(OPERATIONS))
    email = Name("Only entries for this e-mail address or its current user.", max_length=MAX_KEY_LENGTH)
    since = Instant("Only entries from this time on.")
    until = Instant("Only entries before this time.")


_SPAN = Text("Only entries of this span of time until now.", validate=one_of(SPANS))


class LogSearchQuery(LogQuery):
    """Filters of the console's provisioning log."""

    person = Name("Only entries about this person: an address, a userName or an ID.", max_length=MAX_KEY_LENGTH)
    effect = Text("Only entries with this effect.", validate=one_of((*CHANGE_TYPES, *EFFECT_GROUPS, WITHOUT)))
    cause = Text("Only refusals with this cause.", validate=one_of((*Reason, WITHOUT)))
    integration = Name("Only entries of the integration with this client ID.")
    group = Name("Only entries about this group: its ID or a part of its name.", max_length=MAX_KEY_LENGTH)
    request_id = Name("Only entries of the request with this ID.")
    span = _SPAN


class AuditQuery(PageQuery):
    """Filters of entries of the audit log."""

    actor = Name("Only entries of this actor: the name, or the ID.", max_length=MAX_KEY_LENGTH)
    action = Text("Only entries of this action.", validate=one_of(ACTIONS))
    since = Instant("Only entries from this time on.")
    until = Instant("Only entries before this time.")


class AuditSearchQuery(AuditQuery):
    """Filters of the console's audit log."""

    span = _SPAN


class ChangesQuery(InputSchema):
    """The parameters of the change feed."""

    limit = Limit()
    after = _cursor("Only changes after this cursor. The cursor `latest` is the end of the feed.")
    wait = Seconds(f"How long to wait for the next change, in seconds. At most {MAX_WAIT} apply.")


class PreviewQuery(InputSchema):
    """The value to map to a role."""

    name = Name("The app role value.", required=True)


class NoQuery(InputSchema):
    """The endpoint has no parameters."""


PAGE, USERS, LOG, CHANGES, AUDIT = PageQuery(), UsersQuery(), LogQuery(), ChangesQuery(), AuditQuery()
PREVIEW, NONE, GROUPS, USER_SEARCH = PreviewQuery(), NoQuery(), GroupsQuery(), UserSearchQuery()
LOG_SEARCH, AUDIT_SEARCH = LogSearchQuery(), AuditSearchQuery()
