"""The secrets of webhooks. They are derived from the secret key, so that the database contains none.

A receiver verifies signatures with the secret. Its text is that of Standard Webhooks 1.0.
"""

import base64
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from scimsvc import clock
from scimsvc.settings.keys import derive_key, key_id
from scimsvc.store.webhooks import WebhookRow

_PREFIX = "whsec_"


class MissingKey(Exception):
    """The secret key of a webhook is not configured any more. The message says what to do."""


class SecretSource(NamedTuple):
    """The values that a secret is derived from, besides the key with the ID."""

    key_id: str
    salt: str


def new_source(keys: Sequence[str]) -> SecretSource:
    """Return the source of a new secret, which the newest of the secret ``keys`` derives."""
    return SecretSource(key_id(keys[0]), secrets.token_hex(16))


def write_secret(secret: bytes) -> str:
    """Return the text of a secret, which the owner of the receiver gets."""
    return _PREFIX + base64.b64encode(secret).decode("ascii")


def current_secret(keys: Sequence[str], webhook: WebhookRow) -> bytes:
    """Return the newest secret of the webhook; raises ``MissingKey``."""
    secret = _derive(keys, webhook, SecretSource(webhook.key_id, webhook.salt))
    if secret is None:
        raise MissingKey(
            f"The secret of this webhook belongs to the secret key {webhook.key_id}, which this server does not have. "
            "Rotate the secret of the webhook, or add that key to SCIMSVC_SECRET_KEY."
        )
    return secret


def signing_secrets(keys: Sequence[str], webhook: WebhookRow, *, now: datetime) -> list[bytes]:
    """Return the secrets that sign messages at ``now``, newest first; raises ``MissingKey`` without the newest.

    After a rotation with overlap, these are two.
    """
    signing = [current_secret(keys, webhook)]
    if (
        webhook.old_key_id is not None
        and webhook.old_salt is not None
        and clock.timestamp(now) < (webhook.old_until or "")
    ):
        old = _derive(keys, webhook, SecretSource(webhook.old_key_id, webhook.old_salt))
        signing += [old] if old is not None else []
    return signing


def has_key(keys: Sequence[str], webhook: WebhookRow) -> bool:
    """Return whether the secret key of the webhook's newest secret is configured."""
    return webhook.key_id in map(key_id, keys)


def _derive(keys: Sequence[str], webhook: WebhookRow, source: SecretSource) -> bytes | None:
    key = next((key for key in keys if key_id(key) == source.key_id), None)
    if key is None:
        return None
    return bytes.fromhex(derive_key(key, f"webhook {webhook.enterprise_id} {webhook.id} {source.salt}"))
