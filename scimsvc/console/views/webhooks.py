"""The blueprint of webhooks. Their secrets are shown only once."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from flask import request, url_for

from scimsvc import clock, schemas
from scimsvc.console.event_words import EVENT_KINDS
from scimsvc.console.forms import number, redisplay_on_error, text
from scimsvc.console.pages import (
    Answer,
    admin,
    confirmation,
    enterprise_blueprint,
    enterprise_id,
    go,
    in_utc,
    page,
    parameters,
)
from scimsvc.console.shown_once import go_and_show, shown_once
from scimsvc.notifications import replaying, testing
from scimsvc.notifications import webhooks as services
from scimsvc.notifications.deliveries import page_deliveries
from scimsvc.schemas.entity_tags import entity_tag
from scimsvc.schemas.validation import validated, without_none
from scimsvc.vocabulary import EVENT_PATTERNS
from scimsvc.web.state import cursor_keys

webhooks = enterprise_blueprint("webhooks")

#: Deliveries on a page.
_DELIVERIES = "25"
#: The beginnings of a replay that the page proposes, by their names.
_SPANS = {
    "Last hour": timedelta(hours=1),
    "Last day": timedelta(days=1),
    "Last week": timedelta(days=7),
    "Last 30 days": timedelta(days=30),
}


@webhooks.get("/webhooks")
def list_() -> Answer:
    """List the webhooks."""
    listed = services.list_webhooks(enterprise_id())
    return page("webhooks.html", webhooks=[_without_query(each) for each in listed])


@webhooks.get("/webhooks/new")
def new() -> Answer:
    """Show the form for a new webhook."""
    return page("webhook_form.html", webhook=None, kinds=EVENT_KINDS)


@webhooks.post("/webhooks/new")
@redisplay_on_error(new)
def create() -> Answer:
    """Create a webhook, and show its secret."""
    return _show_secret("Webhook created", services.create_webhook(enterprise_id(), _members()))


@webhooks.get("/webhooks/<webhook_id>")
def show(webhook_id: str) -> Answer:
    """Show a webhook and its deliveries, and after a form its new secret."""
    webhook = services.show_webhook(enterprise_id(), webhook_id)
    query = parameters("cursor") | {"limit": _DELIVERIES}
    return page(
        "webhook.html",
        webhook=webhook if admin().may_change else _without_query(webhook),
        deliveries=page_deliveries(enterprise_id(), webhook_id, query, cursor_keys()),
        shown=shown_once(),
    )


@webhooks.get("/webhooks/<webhook_id>/edit")
def edit(webhook_id: str) -> Answer:
    """Show the form of a webhook."""
    webhook = services.show_webhook(enterprise_id(), webhook_id)
    return page("webhook_form.html", webhook=webhook, kinds=EVENT_KINDS, tag=entity_tag(webhook))


@webhooks.post("/webhooks/<webhook_id>/edit")
@redisplay_on_error(edit)
def update(webhook_id: str) -> Answer:
    """Change a webhook. Its cursor stays."""
    services.update_webhook(enterprise_id(), webhook_id, _members(), if_match=text("tag") or None)
    return go(".show", "Webhook saved.", webhook_id=webhook_id)


@webhooks.post("/webhooks/<webhook_id>/enable")
@redisplay_on_error(show)
def enable(webhook_id: str) -> Answer:
    """Enable a webhook. It continues at its cursor."""
    services.update_webhook(enterprise_id(), webhook_id, {"enabled": True})
    return go(".show", "Webhook enabled. It continues where it stopped.", webhook_id=webhook_id)


@webhooks.post("/webhooks/<webhook_id>/disable")
@redisplay_on_error(show)
def disable(webhook_id: str) -> Answer:
    """Disable a webhook. Its cursor stays."""
    services.update_webhook(enterprise_id(), webhook_id, {"enabled": False})
    return go(".show", "Webhook disabled. Changes wait until you enable it.", webhook_id=webhook_id)


@webhooks.post("/webhooks/<webhook_id>/retry")
@redisplay_on_error(show)
def retry(webhook_id: str) -> Answer:
    """Let the next attempt begin at once."""
    webhook = services.show_webhook(enterprise_id(), webhook_id)
    replaying.replay_webhook(enterprise_id(), webhook_id, {"cursor": webhook["cursor"]})
    return go(".show", "The message is sent again now. Reload this page to see the delivery.", webhook_id=webhook_id)


@webhooks.post("/webhooks/<webhook_id>/test")
@redisplay_on_error(show)
def test(webhook_id: str) -> Answer:
    """Send a test message, and show the result."""
    delivery = testing.send_test(enterprise_id(), webhook_id)
    if delivery["error"] is None:
        answered = f"The receiver answered {delivery['status']} after {delivery['duration_ms']:,} ms."
        return go(".show", f"Test message delivered. {answered}", webhook_id=webhook_id)
    return go(".show", f"The test message was not delivered. {delivery['error']}", tone="bad", webhook_id=webhook_id)


@webhooks.get("/webhooks/<webhook_id>/rotate")
def ask_to_rotate(webhook_id: str) -> Answer:
    """Show the form for rotating a secret."""
    return page("webhook_rotate.html", webhook=services.show_webhook(enterprise_id(), webhook_id))


@webhooks.post("/webhooks/<webhook_id>/rotate")
@redisplay_on_error(ask_to_rotate)
def rotate(webhook_id: str) -> Answer:
    """Create a new secret, and show it."""
    overlap = without_none(overlap_hours=number("overlap_hours"))
    return _show_secret("Secret rotated", services.rotate_secret(enterprise_id(), webhook_id, overlap))


@webhooks.get("/webhooks/<webhook_id>/replay")
def ask_to_replay(webhook_id: str) -> Answer:
    """Show the form for a replay, and the number of changes since a chosen time."""
    webhook, now = services.show_webhook(enterprise_id(), webhook_id), clock.now()
    typed = in_utc(parameters("since"))
    since: datetime | None = validated(schemas.REPLAY, typed)["since"] if typed else None
    return page(
        "webhook_replay.html",
        webhook=webhook,
        spans={name: clock.timestamp(now - span) for name, span in _SPANS.items()},
        now=clock.timestamp(now),
        since=since and clock.timestamp(since),
        changes=None if since is None else replaying.count_replayed(enterprise_id(), since),
    )


@webhooks.post("/webhooks/<webhook_id>/replay")
@redisplay_on_error(ask_to_replay)
def replay(webhook_id: str) -> Answer:
    """Send the messages since a time again."""
    webhook = replaying.replay_webhook(enterprise_id(), webhook_id, {"since": text("since")})
    sent = "They are sent now." if webhook["enabled"] else "They are sent when the webhook is enabled."
    return go(".show", f"{_plural(webhook['waiting'], 'change')} to send. {sent}", webhook_id=webhook_id)


@webhooks.get("/webhooks/<webhook_id>/delete")
def ask_to_delete(webhook_id: str) -> Answer:
    """Ask for confirmation to delete a webhook."""
    webhook = services.show_webhook(enterprise_id(), webhook_id)
    waiting = webhook["waiting"]
    lost = f" {_plural(waiting, 'change')} waiting for it will not be sent." if waiting else ""
    return confirmation(
        f"Delete the webhook to {services.url_without_query(webhook['url'])}?",
        f"Its receiver gets no more messages, and its secret and the list of deliveries are deleted.{lost}",
        action="Delete webhook",
        back=url_for(".show", webhook_id=webhook_id),
    )


@webhooks.post("/webhooks/<webhook_id>/delete")
@redisplay_on_error(ask_to_delete)
def delete(webhook_id: str) -> Answer:
    """Delete a webhook."""
    webhook = services.delete_webhook(enterprise_id(), webhook_id)
    return go(".list_", f"Webhook to {services.url_without_query(webhook['url'])} deleted.")


def _members() -> dict[str, Any]:
    chosen = [name for name in request.form if name.startswith(_TYPE)]
    return {"url": text("url"), "types": list(_types(chosen)), "payload": text("payload")}


#: The prefix of the names of the checkboxes for types.
_TYPE = "type:"


def _types(chosen: Iterable[str]) -> Iterable[str]:
    """Yield the chosen types and patterns, without types that a chosen pattern includes."""
    names = [name.removeprefix(_TYPE) for name in chosen]
    kinds = {name.partition(".")[0] for name in names if name in EVENT_PATTERNS}
    return (name for name in names if name in EVENT_PATTERNS or name.partition(".")[0] not in kinds)


def _without_query(webhook: Mapping[str, Any]) -> dict[str, Any]:
    return {**webhook, "url": services.url_without_query(webhook["url"])}


def _show_secret(title: str, webhook: Mapping[str, Any]) -> Answer:
    """Redirect to the page of the webhook, which shows its secret once under ``title``."""
    return go_and_show(".show", {"title": title, "secret": webhook["secret"]}, webhook_id=webhook["id"])


def _plural(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
