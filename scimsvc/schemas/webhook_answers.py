"""The schemas of webhooks and their deliveries in the enterprise API's answers."""

from marshmallow import Schema, fields, validate

from scimsvc.schemas.answer_fields import names as _names
from scimsvc.schemas.answer_fields import text as _text
from scimsvc.schemas.answer_fields import text_or_null as _text_or_null
from scimsvc.schemas.answer_fields import time as _time
from scimsvc.schemas.answer_fields import time_or_null as _time_or_null
from scimsvc.schemas.answer_fields import truth as _truth
from scimsvc.schemas.answer_fields import whole_number as _whole_number
from scimsvc.vocabulary import PAYLOADS


class Webhook(Schema):
    """A webhook."""

    id = _text("The ID of the webhook.")
    url = _text("The URL that gets the messages.")
    types = _names("The types of events that are sent, or patterns.")
    payload = _text("The payload.", validate=validate.OneOf(PAYLOADS))
    enabled = _truth("Whether messages are sent.")
    disabled_reason = _text_or_null(
        "Why the service disabled it: gone (the receiver answered 410) or failing (every retry of a message failed)."
    )
    cursor = _text("The cursor of the change feed after which the next message is.")
    waiting = _whole_number("The number of changes after the cursor, also of types that are not sent.")
    failing_since = _time_or_null("The time of the first failed attempt since the last success.")
    next_attempt_at = _time_or_null("The time of the next attempt after a failed one.")
    last_success_at = _time_or_null("The time of the last successful attempt.")
    signable = _truth("Whether the server has the key of the secret. If not, rotate the secret.")
    old_secret_until = _time_or_null("The time until which the secret before the last rotation signs too.")
    created_at = _time("The time of creation.")


class WebhookWithSecret(Webhook):
    """A webhook with its secret, which only this answer contains."""

    secret = _text("The secret for verifying signatures.")


class WebhookDelivery(Schema):
    """An attempt to deliver a message."""

    id = _text("The ID of the delivery.")
    message_id = _text("The ID of the message, the same for every attempt: webhook-id.")
    type = _text("The type of the event.")
    cursor = _text_or_null("The cursor of the change; null for an alert or a test.")
    attempt = _whole_number("The number of the attempt, from 1.")
    time = _time("The time of the attempt.")
    status = fields.Integer(
        required=True, allow_none=True, metadata={"description": "The HTTP status; null without an answer."}
    )
    error = _text_or_null("Why the attempt failed, and what to do; null after a success.")
    duration_ms = _whole_number("The duration of the attempt, in milliseconds.")
