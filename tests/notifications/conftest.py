"""Fixtures of webhooks: a certificate that this process trusts."""

from pathlib import Path

import pytest

from tests.support.receivers import certificate


@pytest.fixture(scope="session")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of localhost and hooks.example.com with its key."""
    return certificate(tmp_path_factory.mktemp("certificate"), "localhost", "hooks.example.com")


@pytest.fixture
def trusted(pem: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The certificate, trusted by this process."""
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    return pem
