"""Signatures of messages: the published library accepts them, and nothing else."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from scimsvc.notifications.signing import sign, signed_headers

OLD, NEW = b"o" * 32, b"n" * 32
BODY = '{"type":"webhook.test","data":{"name":"Zoë"}}'.encode()


def library(secret: bytes) -> Webhook:
    return Webhook("whsec_" + base64.b64encode(secret).decode())


@pytest.mark.parametrize(("secrets", "accepted"), [([NEW], [NEW]), ([NEW, OLD], [NEW, OLD]), ([OLD], [OLD])])
def test_receivers_verify_a_message_with_each_secret_that_signs(secrets: list[bytes], accepted: list[bytes]) -> None:
    headers = signed_headers(secrets, "msg_1", now=datetime.now(UTC), body=BODY)

    for secret in (OLD, NEW):
        if secret in accepted:
            assert library(secret).verify(BODY, headers) == {"type": "webhook.test", "data": {"name": "Zoë"}}
        else:
            with pytest.raises(WebhookVerificationError):
                library(secret).verify(BODY, headers)


def test_a_changed_message_an_old_one_and_another_id_are_refused() -> None:
    now = datetime.now(UTC)
    headers = signed_headers([NEW], "msg_1", now=now, body=BODY)
    old = signed_headers([NEW], "msg_1", now=now - timedelta(minutes=6), body=BODY)

    for body, sent in ((BODY + b" ", headers), (BODY, old), (BODY, headers | {"webhook-id": "msg_2"})):
        with pytest.raises(WebhookVerificationError):
            library(NEW).verify(body, sent)


def test_the_signature_is_the_one_of_the_specification() -> None:
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")

    signature = sign([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp=1614265330, body=b'{"test": 2432232314}')

    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
