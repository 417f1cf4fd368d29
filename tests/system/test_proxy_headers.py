"""Headers and ciphers of the nginx of ``deploy/``: what browsers and TLS clients get."""

import socket
import ssl
from collections.abc import Iterator

import pytest

from tests.support.proxy import NAME, SITE, Proxied, behind_nginx

pytestmark = pytest.mark.system

USERS = "/api/scim/v2/Users"


@pytest.fixture(scope="module")
def proxied() -> Iterator[Proxied]:
    with behind_nginx(SITE.read_text(), TRUSTED_PROXIES="1") as proxied:
        yield proxied


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (USERS, 200),
        ("/api/v1/users", 403),
        ("/nothing", 404),
        (f"{USERS}?filter={'x' * 40_000}", 431),
    ],
)
def test_an_answer_for_programs_lets_a_browser_do_nothing(proxied: Proxied, path: str, status: int) -> None:
    answer = proxied.send("GET", path)

    assert answer.status == status
    assert answer.headers["Content-Security-Policy"] == (
        "default-src 'none'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
    )
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


def test_a_page_of_the_console_keeps_its_own_policies(proxied: Proxied) -> None:
    page = proxied.send("GET", "/console/sign-in")

    policies = page.headers.getlist("Content-Security-Policy")  # type: ignore[attr-defined]
    assert len(policies) == 1
    assert "style-src 'self'" in policies[0]
    assert page.headers.getlist("Referrer-Policy") == ["same-origin"]  # type: ignore[attr-defined]
    assert page.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


def _offer(proxied: Proxied, ciphers: str) -> str:
    """Return the cipher that nginx chooses from ``ciphers`` with TLS 1.2."""
    context = ssl.create_default_context(cafile=str(proxied.folder / "certificate.pem"))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(ciphers)
    with (
        socket.create_connection(("127.0.0.1", proxied.port), 5) as connection,
        context.wrap_socket(connection, server_hostname=NAME) as encrypted,
    ):
        cipher = encrypted.cipher()
        assert cipher is not None
        return cipher[0]


# The certificate of the tests has an ECDSA key.


@pytest.mark.parametrize("cipher", ["ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA"])
def test_a_cipher_without_authenticated_encryption_is_refused(proxied: Proxied, cipher: str) -> None:
    with pytest.raises(ssl.SSLError):
        _offer(proxied, cipher)


@pytest.mark.parametrize("cipher", ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"])
def test_a_recommended_cipher_is_accepted(proxied: Proxied, cipher: str) -> None:
    assert _offer(proxied, cipher) == cipher
