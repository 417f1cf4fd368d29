"""The webhooks of an enterprise: create, list, change, rotate and delete them (contract sections 8 and 9).

The URL of a webhook can contain a secret of its receiver, so that only administrators and tokens of the scope ``api``
read webhooks. The audit log contains URLs without their queries.
"""

import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from scimsvc import clock, schemas
from scimsvc.activity.audit import AuditLog, Difference, Target, audited, changed, created, deleted
from scimsvc.activity.feed_reading import find_position, write_feed_cursor
from scimsvc.errors import NoSuchThing
from scimsvc.notifications.secrets import SecretSource, current_secret, has_key, new_source, write_secret
from scimsvc.notifications.sending.urls import check_url
from scimsvc.protocol.errors import quoted
from scimsvc.schemas.entity_tags import check_if_match
from scimsvc.schemas.validation import validated, validated_changes
from scimsvc.store import webhooks as store
from scimsvc.store.feed import get_end
from scimsvc.store.log import first_id
from scimsvc.store.tenancy import Tenant, reading_in, writing_in
from scimsvc.store.webhooks import WebhookRow
from scimsvc.vocabulary import EVENT_PATTERNS, EVENT_TYPES, Action
from scimsvc.web.quotas import quotas
from scimsvc.web.state import app_settings, cursor_keys

#: The columns of a webhook whose next attempt is made at once, as if none had failed.
NOT_FAILING: Mapping[str, Any] = {
    "failures": 0,
    "next_attempt_at": None,
    "failing_since": None,
    "disabled_reason": None,
}
_ORDER = (*EVENT_PATTERNS, *EVENT_TYPES)


def list_webhooks(enterprise: str) -> list[dict[str, Any]]:
    """Return the webhooks of the enterprise, oldest first."""
    with reading_in(enterprise) as tenant:
        return [represent(tenant, row) for row in store.list_webhooks(tenant.connection, tenant.id)]


def show_webhook(enterprise: str, reference: str) -> dict[str, Any]:
    """Return the webhook with the ID or URL ``reference``; raises ``NoSuchThing``."""
    with reading_in(enterprise) as tenant:
        return represent(tenant, get_webhook(tenant, reference))


@audited
def create_webhook(enterprise: str, members: Mapping[str, Any]) -> dict[str, Any]:
    """Create a webhook with the members of ``schemas.WebhookSchema``, and return it with its secret.

    It begins at the end of the change feed. Raises ``InvalidInput`` or ``QuotaReached``.
    """
    fields = validated(schemas.WEBHOOK, members)
    check_url(fields["url"], app_settings().webhook_networks)
    with writing_in(enterprise, changes_settings=False) as tenant:
        quotas.current.webhooks.claim(tenant.id, connection=tenant.connection)
        row = _new_row(tenant, fields)
        store.insert_webhook(tenant.connection, row)
        AuditLog.of(tenant).record(Action.WEBHOOK_CREATED, target_of(row), created(_recorded(row)))
        return _with_secret(tenant, row)


def _new_row(tenant: Tenant, fields: Mapping[str, Any]) -> WebhookRow:
    now, source = clock.now(), new_source(app_settings().secret_keys)
    return WebhookRow(
        enterprise_id=tenant.id,
        id=str(uuid.uuid4()),
        url=fields["url"],
        types=_write_types(fields["types"]),
        payload=fields["payload"],
        enabled=fields["enabled"],
        disabled_reason=None,
        cursor=get_end(tenant.connection, tenant.id).number,
        alert_cursor=first_id(now),
        key_id=source.key_id,
        salt=source.salt,
        old_key_id=None,
        old_salt=None,
        old_until=None,
        failures=0,
        next_attempt_at=None,
        failing_since=None,
        last_success_at=None,
        created_at=clock.timestamp(now),
    )


@audited
def update_webhook(
    enterprise: str, reference: str, changes: Mapping[str, Any], *, if_match: str | None = None
) -> dict[str, Any]:
    """Change a webhook and return it. One that is enabled again, or has a new URL, delivers at once from its cursor.

    Raises ``InvalidInput``, ``NoSuchThing`` or ``OutOfDate``.
    """
    fields = validated_changes(schemas.WEBHOOK, changes)
    if "url" in fields:
        check_url(fields["url"], app_settings().webhook_networks)
    if "types" in fields:
        fields["types"] = _write_types(fields["types"])
    with changing(enterprise, reference) as (tenant, row):
        check_if_match(represent(tenant, row), if_match)
        columns = {name: value for name, value in fields.items() if value != getattr(row, name)}
        if {"url", "enabled"} & columns.keys():
            columns |= NOT_FAILING
        if columns:
            store.update_webhook(tenant.connection, row, columns)
        after = row._replace(**columns)
        AuditLog.of(tenant).record(Action.WEBHOOK_UPDATED, target_of(after), _difference(row, after))
        return represent(tenant, after)


def _difference(row: WebhookRow, after: WebhookRow) -> Difference | None:
    before, now = _recorded(row), _recorded(after)
    if row.url != after.url and before["url"] == now["url"]:  # only the query differs, which is not recorded
        return Difference({"url": before["url"]}, {"url": now["url"]})
    return changed(before, now)


@audited
def delete_webhook(enterprise: str, reference: str, *, if_match: str | None = None) -> dict[str, Any]:
    """Delete a webhook with its deliveries, and return its last state. Raises ``NoSuchThing`` or ``OutOfDate``."""
    with changing(enterprise, reference) as (tenant, row):
        webhook = represent(tenant, row)
        check_if_match(webhook, if_match)
        store.delete_webhook(tenant.connection, row)
        AuditLog.of(tenant).record(Action.WEBHOOK_DELETED, target_of(row), deleted(_recorded(row)))
        return webhook


@audited
def rotate_secret(enterprise: str, reference: str, members: Mapping[str, Any]) -> dict[str, Any]:
    """Create a new secret for a webhook and return both. The old one also signs for ``overlap_hours``.

    A secret that was still signing besides the old one ends. Raises ``InvalidInput`` or ``NoSuchThing``.
    """
    hours = validated(schemas.WEBHOOK_ROTATION, members)["overlap_hours"]
    with changing(enterprise, reference) as (tenant, row):
        source = new_source(app_settings().secret_keys)
        old = SecretSource(row.key_id, row.salt) if hours > 0 else None
        columns: dict[str, Any] = {
            "key_id": source.key_id,
            "salt": source.salt,
            "old_key_id": old and old.key_id,
            "old_salt": old and old.salt,
            "old_until": old and clock.timestamp(clock.now() + timedelta(hours=hours)),
        }
        store.update_webhook(tenant.connection, row, columns)
        after = row._replace(**columns)
        rotation = Difference(after={"overlap_hours": hours})
        AuditLog.of(tenant).record(Action.WEBHOOK_ROTATED, target_of(after), rotation)
        return _with_secret(tenant, after)


# For the other use cases of webhooks.


@contextmanager
def changing(enterprise: str, reference: str) -> Iterator[tuple[Tenant, WebhookRow]]:
    """Open a transaction that changes the webhook with the ID or URL ``reference``; raises ``NoSuchThing``."""
    with writing_in(enterprise, changes_settings=False) as tenant:
        row = store.lock_webhook(tenant.connection, tenant.id, get_webhook(tenant, reference).id)
        if row is None:  # deleted since it was found
            raise _unknown(tenant, reference)
        yield tenant, row


def get_webhook(tenant: Tenant, reference: str) -> WebhookRow:
    """Return the row of the webhook with the ID or URL ``reference``; raises ``NoSuchThing``."""
    row = store.find_webhook(tenant.connection, tenant.id, reference)
    if row is not None:
        return row
    rows = [each for each in store.list_webhooks(tenant.connection, tenant.id) if each.url == reference]
    if len(rows) != 1:
        raise _unknown(tenant, reference, several=len(rows) > 1)
    return rows[0]


def _unknown(tenant: Tenant, reference: str, *, several: bool = False) -> NoSuchThing:
    if several:
        return NoSuchThing(f"{tenant.row.name} has several webhooks with the URL {quoted(reference)}. Use an ID.")
    return NoSuchThing(
        f"Webhook {quoted(reference)} does not exist in {tenant.row.name}. Use the ID or the URL of a webhook.",
        what="webhook",
    )


def target_of(row: WebhookRow) -> Target:
    """Return the webhook as the target of an action."""
    return Target(row.id, url_without_query(row.url))


def url_without_query(url: str) -> str:
    """Return ``url`` for the audit log: its query, which may contain a secret, is an ellipsis."""
    path, mark, _ = url.partition("?")
    return f"{path}?…" if mark else path


def represent(tenant: Tenant, row: WebhookRow) -> dict[str, Any]:
    """Return the webhook in the form of the enterprise API."""
    newest = get_end(tenant.connection, tenant.id).number
    position = find_position(tenant.connection, tenant.id, row.cursor)
    return {
        "id": row.id,
        "url": row.url,
        "types": json.loads(row.types),
        "payload": row.payload,
        "enabled": row.enabled,
        "disabled_reason": row.disabled_reason,
        "cursor": write_feed_cursor(cursor_keys(), tenant.id, position),
        "waiting": max(0, newest - row.cursor),
        "failing_since": row.failing_since,
        "next_attempt_at": row.next_attempt_at,
        "last_success_at": row.last_success_at,
        "signable": has_key(app_settings().secret_keys, row),
        "old_secret_until": row.old_until,
        "created_at": row.created_at,
    }


def _with_secret(tenant: Tenant, row: WebhookRow) -> dict[str, Any]:
    return represent(tenant, row) | {"secret": write_secret(current_secret(app_settings().secret_keys, row))}


def _recorded(row: WebhookRow) -> dict[str, Any]:
    """Return the members for the audit log."""
    return {
        "url": url_without_query(row.url),
        "types": json.loads(row.types),
        "payload": row.payload,
        "enabled": row.enabled,
    }


def _write_types(types: list[str]) -> str:
    """Return ``types`` as a JSON list without duplicates, in the order of the vocabulary."""
    return json.dumps(sorted(set(types), key=_ORDER.index))
