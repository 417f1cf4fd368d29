"""What an enterprise's log, feed and users say, for tests that look at the consequences of requests."""

from typing import Any

from scimsvc.activity import change_feed, provisioning_log
from scimsvc.activity.state import waiters
from scimsvc.enterprises import profiles
from scimsvc.web.state import web_state
from tests.support.client import Enterprise


def log_of(enterprise: Enterprise, **conditions: Any) -> list[dict[str, Any]]:
    """Return the entries of the provisioning log, the newest first."""
    with enterprise.app.app_context():
        return provisioning_log.list_entries(enterprise.made["id"], limit=1000, **conditions).items


def feed_of(enterprise: Enterprise, after: str | None = None, *, limit: int = 1000, wait: float = 0) -> dict[str, Any]:
    """Return a page of the change feed."""
    state = web_state.of(enterprise.app)
    with enterprise.app.app_context():
        return change_feed.read_feed(
            enterprise.made["id"],
            after=after,
            limit=limit,
            wait=wait,
            keys=state.cursor_keys,
            waiters=waiters.of(enterprise.app),
            stopping=state.stopping,
        )


def changes_of(enterprise: Enterprise, user_id: str) -> list[dict[str, Any]]:
    """Return what the feed says of one user, without cursors and times."""
    left_out = ("cursor", "time", "user_id")
    return [
        {name: value for name, value in each.items() if name not in left_out}
        for each in feed_of(enterprise)["items"]
        if each["user_id"] == user_id
    ]


def profile_of(enterprise: Enterprise, user_id: str) -> dict[str, Any]:
    """Return a user as the enterprise API shows it."""
    with enterprise.app.app_context():
        return profiles.show_user(enterprise.made["id"], user_id)


def edit_profile(enterprise: Enterprise, user_id: str, **values: str | None) -> dict[str, Any]:
    """Make the user's own edit."""
    with enterprise.app.app_context():
        return profiles.edit_profile(enterprise.made["id"], user_id, values)
