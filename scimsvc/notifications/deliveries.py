"""The deliveries of webhooks, and the lists of both for the enterprise API and the console."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from scimsvc import schemas
from scimsvc.activity.feed_reading import FeedPosition, write_feed_cursor
from scimsvc.notifications.webhooks import get_webhook, list_webhooks
from scimsvc.reports.lists import Listed, PagedList, Parameters
from scimsvc.store import webhook_deliveries as store
from scimsvc.store.feed import list_times
from scimsvc.store.paging import CursorKeys, Page
from scimsvc.store.tenancy import reading_in
from scimsvc.store.webhook_deliveries import DeliveryRow
from scimsvc.web.state import cursor_keys


def page_webhooks(enterprise_id: str, parameters: Parameters, keys: CursorKeys) -> Listed:
    """Return a page of the webhooks, oldest first."""
    listing = PagedList(enterprise_id, "webhooks", schemas.PAGE, keys)
    return listing.short_page(parameters, list_webhooks, order=("created_at", "id"))


def page_deliveries(enterprise_id: str, webhook_id: str, parameters: Parameters, keys: CursorKeys) -> Listed:
    """Return a page of the deliveries of a webhook, newest first; raises ``NoSuchThing``."""

    def read_page(before: Any, limit: int, _: dict[str, Any]) -> Page:
        return _list(enterprise_id, webhook_id, before=before, limit=limit)

    return PagedList(enterprise_id, f"deliveries of {webhook_id}", schemas.PAGE, keys).page(parameters, read_page)


def list_deliveries(enterprise: str, reference: str, *, limit: int) -> list[dict[str, Any]]:
    """Return the newest deliveries of the webhook with the ID or URL ``reference``; raises ``NoSuchThing``."""
    return _list(enterprise, reference, before=None, limit=limit).items


def _list(enterprise: str, reference: str, *, before: str | None, limit: int) -> Page:
    with reading_in(enterprise) as tenant:
        webhook_id = get_webhook(tenant, reference).id
        rows = store.list_deliveries(tenant.connection, tenant.id, webhook_id, before=before, limit=limit + 1)
        times = list_times(tenant.connection, tenant.id, [row.cursor for row in rows if row.cursor is not None])
        return Page.of(rows, limit, lambda row: represent_delivery(row, times), key=lambda row: row.id)


def represent_delivery(row: DeliveryRow, times: Mapping[int, str] = MappingProxyType({})) -> dict[str, Any]:
    """Return a delivery in the form of the enterprise API. ``times`` has the times of stored changes by number."""
    cursor = None
    if row.cursor is not None:
        position = FeedPosition(row.cursor, times.get(row.cursor))
        cursor = write_feed_cursor(cursor_keys(), row.enterprise_id, position)
    return {
        "id": row.id,
        "message_id": row.message_id,
        "type": row.type,
        "cursor": cursor,
        "attempt": row.attempt,
        "time": row.time,
        "status": row.status,
        "error": row.error,
        "duration_ms": row.duration_ms,
    }
