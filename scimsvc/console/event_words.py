"""The types of events that a webhook can send, in words."""

from collections.abc import Mapping
from typing import NamedTuple

from scimsvc.vocabulary import AlertType


class EventKind(NamedTuple):
    """The events of one kind: the pattern for all of them, and a description of each type."""

    pattern: str
    name: str
    description: str
    types: Mapping[str, str]


EVENT_KINDS = (
    EventKind(
        "user.*",
        "All changes of users",
        "For an application that keeps its own copy of the users.",
        {
            "user.created": "A user is created.",
            "user.updated": "Attributes or the role of a user change.",
            "user.enabled": "A disabled user is enabled.",
            "user.disabled": "A user is disabled, and must not use the application any more.",
            "user.deleted": "A user is deleted.",
            "user.taken_over": "The identity provider takes over a user who was created manually.",
        },
    ),
    EventKind(
        "group.*",
        "All changes of groups",
        "For an application that uses groups or their members.",
        {
            "group.created": "A group is created.",
            "group.updated": "The name or the external ID of a group changes.",
            "group.deleted": "A group is deleted.",
            "group.members_added": "Users become members of a group.",
            "group.members_removed": "Users are no longer members of a group.",
        },
    ),
    EventKind(
        "alert.*",
        "All alerts",
        "For a chat room or an on-call tool.",
        {
            AlertType.TOKEN_EXPIRING: "A SCIM token expires soon.",
            AlertType.REMOVAL_LIMIT: "The removal limit is reached, and removals wait.",
            AlertType.REFUSALS: "Many requests are refused.",
            AlertType.SILENT: "The identity provider has sent no request for a long time.",
            AlertType.WEBHOOK_DISABLED: "A webhook was disabled because its receiver does not work.",
        },
    ),
)
