"""The blueprint of webhooks. Their secrets are shown only once."""

from collections.abc import Mapping
from typing import Any

from flask import Response

from scimsvc.api.messages import (
    api_blueprint,
    created_answer,
    empty_answer,
    enterprise_id,
    if_match,
    json_answer,
    parameters,
    read_object,
    read_optional_object,
    resource_answer,
    takes_parameters,
)
from scimsvc.notifications import deliveries, replaying, testing
from scimsvc.notifications import webhooks as services
from scimsvc.vocabulary import READ_SCOPE
from scimsvc.web.state import caller, cursor_keys

webhooks = api_blueprint("webhooks")


def _visible(webhook: Mapping[str, Any]) -> dict[str, Any]:
    """Return the webhook as the caller may see it. The query of a URL can contain a secret, as tokens do."""
    may_see_query = caller().scope != READ_SCOPE
    return {**webhook, "url": webhook["url"] if may_see_query else services.url_without_query(webhook["url"])}


@webhooks.get("/webhooks")
@takes_parameters
def list_() -> Response:
    """List the webhooks."""
    page = deliveries.page_webhooks(enterprise_id(), parameters(), cursor_keys())
    return json_answer({**page, "items": list(map(_visible, page["items"]))})


@webhooks.post("/webhooks")
def create() -> Response:
    """Create a webhook. The response contains its secret."""
    return created_answer(services.create_webhook(enterprise_id(), read_object()), "webhooks")


@webhooks.get("/webhooks/<webhook_id>")
def show(webhook_id: str) -> Response:
    """Return a webhook."""
    return resource_answer(_visible(services.show_webhook(enterprise_id(), webhook_id)))


@webhooks.patch("/webhooks/<webhook_id>")
def update(webhook_id: str) -> Response:
    """Change a webhook. Its cursor stays."""
    return resource_answer(services.update_webhook(enterprise_id(), webhook_id, read_object(), if_match=if_match()))


@webhooks.delete("/webhooks/<webhook_id>")
def delete(webhook_id: str) -> Response:
    """Delete a webhook and its deliveries."""
    services.delete_webhook(enterprise_id(), webhook_id, if_match=if_match())
    return empty_answer()


@webhooks.post("/webhooks/<webhook_id>/rotate")
def rotate(webhook_id: str) -> Response:
    """Create a new secret. The old one also signs for some hours."""
    return json_answer(services.rotate_secret(enterprise_id(), webhook_id, read_optional_object()))


@webhooks.post("/webhooks/<webhook_id>/test")
def test(webhook_id: str) -> Response:
    """Send a test message at once, and return the delivery."""
    return json_answer(testing.send_test(enterprise_id(), webhook_id))


@webhooks.post("/webhooks/<webhook_id>/replay")
def replay(webhook_id: str) -> Response:
    """Set the cursor to another cursor of the feed, or to a time."""
    return json_answer(replaying.replay_webhook(enterprise_id(), webhook_id, read_object()))


@webhooks.get("/webhooks/<webhook_id>/deliveries")
@takes_parameters
def list_deliveries(webhook_id: str) -> Response:
    """List the deliveries of a webhook, newest first."""
    return json_answer(deliveries.page_deliveries(enterprise_id(), webhook_id, parameters(), cursor_keys()))
