"""The messages of webhooks (contract section 9): their IDs, types and bodies."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from scimsvc.activity.feed_reading import position_of, represent_change, write_feed_cursor
from scimsvc.enterprises.groups import show_group
from scimsvc.enterprises.profiles import show_user
from scimsvc.errors import NoSuchThing
from scimsvc.protocol.json_text import write_json
from scimsvc.store.feed import NumberedChange
from scimsvc.store.paging import CursorKeys
from scimsvc.store.webhook_queue import AlertEventRow
from scimsvc.vocabulary import EVENT_OF_CHANGE, FULL


class Message(NamedTuple):
    """A message for the webhooks of an enterprise."""

    #: The same for every attempt and every replay, so that receivers recognize repetitions.
    id: str
    type: str
    #: The time of the change or the alert.
    timestamp: str
    data: Mapping[str, Any]
    #: The number of the change. None for an alert.
    number: int | None


def change_message(keys: CursorKeys, enterprise_id: str, numbered: NumberedChange) -> Message:
    """Return the message of a change. Its data is the entry of the change feed."""
    number, change = numbered
    return Message(
        _message_id(enterprise_id, str(number), change.time),
        EVENT_OF_CHANGE[change.type],
        change.time,
        represent_change(write_feed_cursor(keys, enterprise_id, position_of(numbered)), change),
        number,
    )


def alert_message(enterprise_id: str, event: AlertEventRow) -> Message:
    """Return the message of an alert's event."""
    return Message(_message_id(enterprise_id, event.id), event.type, event.time, json.loads(event.data), None)


def write_body(enterprise_id: str, message: Message, *, payload: str) -> bytes:
    """Return the body of a message. A full ``payload`` has the user or the group as it is now, or null if deleted."""
    data = dict(message.data)
    if payload == FULL and message.number is not None:
        data |= _present_object(enterprise_id, message.data)
    return write_json({"type": message.type, "timestamp": message.timestamp, "data": data}).encode()


def _present_object(enterprise_id: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    name, show, reference = (
        ("user", show_user, entry["user_id"]) if entry["user_id"] else ("group", show_group, entry["group_id"])
    )
    try:
        return {name: show(enterprise_id, reference)}
    except NoSuchThing:
        return {name: None}


def _message_id(*parts: str) -> str:
    return "msg_" + hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
