"""The filters of the pages of the logs: reading them from the address, and the options of the selections."""

from functools import cache

from flask import request

from scimsvc.console.pages import parameters
from scimsvc.protocol.reasons import Reason
from scimsvc.reports.causes import explain_cause
from scimsvc.vocabulary import (
    CREATED,
    DELETED,
    DISABLED,
    ENABLED,
    GROUP_CREATED,
    GROUP_DELETED,
    GROUP_UPDATED,
    MEMBERS_ADDED,
    MEMBERS_REMOVED,
    TAKEN_OVER,
    UPDATED,
    WITHOUT,
)

#: The spans of time until now, for links. The empty one is the whole log.
TIME_CHIPS = (("", "All"), ("1h", "1 hour"), ("24h", "24 hours"), ("7d", "7 days"), ("30d", "30 days"))
#: The effects of applied requests, in words.
EFFECTS = {
    CREATED: "Created",
    UPDATED: "Changed",
    ENABLED: "Enabled",
    DISABLED: "Disabled",
    DELETED: "Deleted",
    TAKEN_OVER: "Taken over",
    GROUP_CREATED: "Group created",
    GROUP_UPDATED: "Group changed",
    GROUP_DELETED: "Group deleted",
    MEMBERS_ADDED: "Members added",
    MEMBERS_REMOVED: "Members removed",
    "changes": "Changed, enabled or taken over",
    "removals": "Disabled or deleted",
    WITHOUT: "No change",
}


@cache
def cause_options() -> dict[str, str]:
    """Return the causes of refusals with their titles, sorted by title."""
    titles = {str(reason): explain_cause(reason, 400, value="…")["title"] for reason in Reason}
    return dict(sorted(titles.items(), key=lambda item: item[1].lower())) | {WITHOUT: "Other causes"}


def read_filters(*names: str) -> dict[str, str]:
    """Return the filters that the address names. A span gives way to times, and ``email`` is a person."""
    filters = parameters(*names)
    if request.args.get("email") and "person" in names:
        filters.setdefault("person", request.args["email"])
    if "since" in filters or "until" in filters:
        filters.pop("span", None)
    return filters
