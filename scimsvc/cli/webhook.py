"""``webhook``: manage the webhooks of an enterprise, test them and send messages again."""

from datetime import datetime
from typing import Any

import click

from scimsvc import clock
from scimsvc.auth.signing_keys import why_not_the_servers_key
from scimsvc.auth.state import token_signer
from scimsvc.cli.options import Moment, enterprise_argument, overlap_option
from scimsvc.cli.output import result_command, warn
from scimsvc.cli.tables import Row, View
from scimsvc.notifications import deliveries, replaying, testing, webhooks
from scimsvc.schemas.bodies import WEBHOOK_OVERLAP_HOURS
from scimsvc.schemas.limits import MAX_LIMIT
from scimsvc.schemas.validation import without_none
from scimsvc.vocabulary import EVENT_PATTERNS, EVENT_TYPES, PAYLOADS

_DELIVERIES = 50
_UNSIGNABLE = "The server cannot sign messages with this secret. It is derived from"
_webhook_argument = click.argument("webhook")
_type_option = click.option(
    "--type",
    "types",
    multiple=True,
    metavar="TYPE",
    type=click.Choice((*EVENT_PATTERNS, *EVENT_TYPES)),
    help="Type of events to send, such as user.disabled or user.* (repeatable; default: all)",
)
_payload_option = click.option(
    "--payload",
    type=click.Choice(PAYLOADS),
    help="thin: the entry of the change feed; full: also the user or group as it is now (default: thin)",
)


@click.group()
def webhook() -> None:
    """Create, list, change, test, replay and delete the webhooks of an enterprise.

    A webhook sends each change of users and groups, and each alert, to a URL. WEBHOOK is the ID or the URL of a
    webhook.
    """


@result_command(webhook, "create", writes=True)
@enterprise_argument
@click.argument("url")
@_type_option
@_payload_option
@click.option("--disabled", is_flag=True, help="Send nothing until the webhook is enabled")
def create(enterprise: str, url: str, types: tuple[str, ...], *, payload: str | None, disabled: bool) -> dict[str, Any]:
    """Create a webhook for the changes from now on. Its secret is shown only once."""
    members = without_none(url=url, types=list(types) or None, payload=payload, enabled=not disabled)
    return _with_secret(webhooks.create_webhook(enterprise, members))


def _with_secret(shown: dict[str, Any]) -> dict[str, Any]:
    """Return a webhook with its secret. Warn if the server has another secret key than this command."""
    reason = why_not_the_servers_key(token_signer.current, effect=_UNSIGNABLE)
    if reason is not None:
        warn(reason)
    return shown


def _with_states(listed: list[Row]) -> list[Row]:
    return [{name: ({"state": _state(each)} | each)[name] for name in _WEBHOOKS.columns} for each in listed]


def _state(shown: dict[str, Any]) -> str:
    if not shown["enabled"]:
        return f"disabled ({shown['disabled_reason']})" if shown["disabled_reason"] else "disabled"
    if not shown["signable"]:
        return "its key is missing; rotate the secret"
    return f"failing since {shown['failing_since']}" if shown["failing_since"] else "delivering"


_WEBHOOKS = View(
    "webhooks",
    ("url", "state", "waiting", "last_success_at", "types", "payload", "id"),
    prepare=_with_states,
)
_DELIVERIES_VIEW = View("deliveries", ("time", "type", "status", "attempt", "duration_ms", "error", "message_id"))


@result_command(webhook, "list", view=_WEBHOOKS, needs_key=True)
@enterprise_argument
def list_(enterprise: str) -> list[dict[str, Any]]:
    """List the webhooks with their states, oldest first.

    waiting is the number of changes that are not yet delivered, also of types that the webhook does not send.
    """
    return webhooks.list_webhooks(enterprise)


@result_command(webhook, "update", writes=True)
@enterprise_argument
@_webhook_argument
@click.option("--url", help="New URL")
@_type_option
@_payload_option
@click.option("--enable/--disable", "enabled", default=None, help="Start or stop sending; no message is lost")
def update(
    enterprise: str,
    webhook: str,
    url: str | None,
    types: tuple[str, ...],
    *,
    payload: str | None,
    enabled: bool | None,
) -> dict[str, Any]:
    """Change a webhook. --type replaces all types. A webhook that is enabled continues where it stopped."""
    changes = without_none(url=url, types=list(types) or None, payload=payload, enabled=enabled)
    return webhooks.update_webhook(enterprise, webhook, changes)


@result_command(webhook, "delete", writes=True)
@enterprise_argument
@_webhook_argument
def delete(enterprise: str, webhook: str) -> dict[str, Any]:
    """Delete a webhook and its deliveries. Waiting messages are not sent."""
    return webhooks.delete_webhook(enterprise, webhook)


@result_command(webhook, "rotate", writes=True)
@enterprise_argument
@_webhook_argument
@overlap_option("Hours for which the old secret also signs", default=WEBHOOK_OVERLAP_HOURS)
def rotate(enterprise: str, webhook: str, overlap_hours: float) -> dict[str, Any]:
    """Create a new secret. It is shown only once. Messages have two signatures during the overlap."""
    return _with_secret(webhooks.rotate_secret(enterprise, webhook, {"overlap_hours": overlap_hours}))


@result_command(webhook, "test", writes=True)
@enterprise_argument
@_webhook_argument
def test(enterprise: str, webhook: str) -> dict[str, Any]:
    """Send a test message at once, also to a disabled webhook, and show the delivery."""
    return testing.send_test(enterprise, webhook)


@result_command(webhook, "deliveries", view=_DELIVERIES_VIEW, needs_key=True)
@enterprise_argument
@_webhook_argument
@click.option(
    "--limit",
    type=click.IntRange(1, MAX_LIMIT),
    default=_DELIVERIES,
    show_default=True,
    metavar="N",
    help="Maximum number of deliveries",
)
def list_deliveries(enterprise: str, webhook: str, limit: int) -> list[dict[str, Any]]:
    """List the deliveries of the last week, newest first."""
    return deliveries.list_deliveries(enterprise, webhook, limit=limit)


@result_command(webhook, "replay", writes=True)
@enterprise_argument
@_webhook_argument
@click.option("--since", type=Moment(), metavar="TIME", help="Send again from this time: 30m, 2h, 7d or RFC 3339")
@click.option("--cursor", metavar="CURSOR", help="Send again after this cursor of the change feed")
def replay(enterprise: str, webhook: str, since: datetime | None, cursor: str | None) -> dict[str, Any]:
    """Send messages again from a time or a cursor. Their IDs are the same as before."""
    members = without_none(since=None if since is None else clock.timestamp(since), cursor=cursor)
    return replaying.replay_webhook(enterprise, webhook, members)
