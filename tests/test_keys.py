"""Secret keys: a key for each purpose, key IDs, and ``scimsvc key new``."""

import hashlib
import hmac
import json
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from scimsvc import clock
from scimsvc.auth.errors import Claims
from scimsvc.auth.tokens import TokenSigner, new_token_id
from scimsvc.settings.keys import SESSIONS, derive_key, key_id, new_secret_key
from scimsvc.settings.values import read_secret_keys
from scimsvc.vocabulary import SCIM_SCOPE
from tests.support.apps import SECRET_KEY
from tests.support.client import Enterprise
from tests.support.live import SCIMSVC, environment

KEY = "k" * 32


def test_each_purpose_has_its_own_key() -> None:
    expected = hmac.new(KEY.encode(), b"scimsvc console sessions\x01", hashlib.sha256).hexdigest()

    assert derive_key(KEY, SESSIONS) == expected
    assert len({derive_key(key, purpose) for key in (KEY, KEY + "1") for purpose in (SESSIONS, "other")}) == 4
    assert key_id(KEY) == derive_key(KEY, "key ID")[:8]


def test_flask_sees_a_key_that_cannot_sign_tokens(acme: Enterprise) -> None:
    flask_key = acme.app.config["SECRET_KEY"]
    forged = TokenSigner([flask_key]).issue(
        Claims(acme.made["id"], new_token_id(), clock.now() + timedelta(days=1), SCIM_SCOPE)
    )

    answer = acme.app.test_client().get("/api/scim/v2/Users", headers={"Authorization": f"Bearer {forged}"})

    assert flask_key != SECRET_KEY
    assert answer.status_code == 401


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_new_key_is_printed_and_stored_nowhere(tmp_path: Path, options: tuple[str, ...]) -> None:
    command = [SCIMSVC, "key", "new", *options]

    printed = [
        subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, check=True, text=True).stdout
        for _ in range(2)
    ]

    keys = [json.loads(text)["secret_key"] if options else text.removesuffix("\n") for text in printed]
    assert keys[0] != keys[1]
    assert [read_secret_keys(key) for key in keys] == [(key,) for key in keys]
    assert list(tmp_path.iterdir()) == []
    if options:
        assert json.loads(printed[0])["key_id"] == key_id(keys[0])


def test_new_keys_are_long_enough() -> None:
    assert len(new_secret_key()) == 64
