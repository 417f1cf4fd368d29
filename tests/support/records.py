"""Read logs, an enterprise's feed and its users, to test the effects of requests."""

import time
from typing import Any

from flask import Flask

from scimsvc.activity.audit_reading import list_audit_entries
from scimsvc.activity.log_reading import list_entries
from scimsvc.activity.state import feed_reader
from scimsvc.enterprises import profiles
from scimsvc.store.audit import AuditConditions
from scimsvc.store.log import LogConditions
from tests.support.client import Enterprise

#: A little longer, so that two times differ.
_MILLISECOND = 0.0015


def log_of(enterprise: Enterprise, **conditions: Any) -> list[dict[str, Any]]:
    """Return the entries of the provisioning log, newest first."""
    with enterprise.app.app_context():
        return list_entries(enterprise.made["id"], LogConditions(**conditions), limit=1000).items


def feed_of(enterprise: Enterprise, after: str | None = None, *, limit: int = 1000, wait: float = 0) -> dict[str, Any]:
    """Return a page of the change feed."""
    with enterprise.app.app_context():
        return feed_reader().read(enterprise.made["id"], after=after, limit=limit, wait=wait)


def changes_of(enterprise: Enterprise, user_id: str) -> list[dict[str, Any]]:
    """Return the feed's entries for one user, without cursors and times."""
    left_out = ("cursor", "time", "user_id")
    return [
        {name: value for name, value in each.items() if name not in left_out}
        for each in feed_of(enterprise)["items"]
        if each["user_id"] == user_id
    ]


def profile_of(enterprise: Enterprise, user_id: str) -> dict[str, Any]:
    """Return a user from the enterprise API."""
    with enterprise.app.app_context():
        return profiles.show_user(enterprise.made["id"], user_id)


def edit_profile(enterprise: Enterprise, user_id: str, **values: str | None) -> dict[str, Any]:
    """Edit the profile as the user does, in a millisecond of its own: histories are sorted by milliseconds."""
    time.sleep(_MILLISECOND)
    with enterprise.app.app_context():
        user = profiles.edit_profile(enterprise.made["id"], user_id, values)
    time.sleep(_MILLISECOND)
    return user


def audit_of(app: Flask, enterprise: str | None = None, **conditions: Any) -> list[dict[str, Any]]:
    """Return the entries of the audit log of an enterprise, or of the installation, newest first."""
    with app.app_context():
        return list_audit_entries(enterprise, AuditConditions(**conditions), limit=1000).items
