"""Receives the webhooks of scimsvc: each message is verified, and its change is stored once."""

from contextlib import closing

from flask import Blueprint, request
from standardwebhooks import Webhook, WebhookVerificationError

from host_application import people
from host_application.follower import store_change, take_snapshot
from host_application.service import Service


def receiver(secret: str, service: Service, path: str) -> Blueprint:
    """Return the route of a webhook with the ``secret``. ``path`` names the application's database."""
    blueprint = Blueprint("webhook", __name__)
    webhook = Webhook(secret)

    @blueprint.post("/scimsvc-webhook")
    def receive() -> tuple[str, int]:
        try:
            # The bytes as they arrived: JSON that was read and written again has another signature.
            message = webhook.verify(request.get_data(), dict(request.headers))
        except WebhookVerificationError:
            return "", 401
        if message["type"].startswith(("user.", "group.")):
            with closing(people.connect(path)) as database:
                if people.get_cursor(database) is None:
                    take_snapshot(service, database)  # it contains this change
                elif people.remember_message(database, request.headers["webhook-id"]):
                    store_change(service, database, message["data"])  # one transaction with the ID of the message
        return "", 204

    return blueprint
