"""The self-test names each fault of a certificate and of TLS, and nothing else."""

import ssl
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.selftest.bench import SCIM, Bench, faults
from tests.support.broken_proxy import broken_proxy
from tests.support.certificates import Authority, make_authority, server_context

pytestmark = [pytest.mark.slow, pytest.mark.system]

Served = Callable[[Authority, Authority, Path], ssl.SSLContext]


def _old(root: Authority, middle: Authority, folder: Path) -> ssl.SSLContext:
    """Return a context with TLS 1.0 to 1.3, which OpenSSL otherwise switches off."""
    context = server_context(folder, middle.issue("localhost"), middle)
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    return context


def _only_old(root: Authority, middle: Authority, folder: Path) -> ssl.SSLContext:
    context = _old(root, middle, folder)
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


def _only_newest(root: Authority, middle: Authority, folder: Path) -> ssl.SSLContext:
    context = server_context(folder, middle.issue("localhost"), middle)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context


CASES: dict[str, tuple[Served, str | None, str]] = {
    "whole chain": (lambda _, middle, folder: server_context(folder, middle.issue("localhost"), middle), None, ""),
    "of 90 days, 25 left": (
        lambda _, middle, folder: server_context(folder, middle.issue("localhost", begin=-65, end=25), middle),
        None,
        "",
    ),
    "issuer not sent": (
        lambda _, middle, folder: server_context(folder, middle.issue("localhost")),
        "certificate_chain",
        "without that of its issuer 'Middle'",
    ),
    "self-signed": (
        lambda _, __, folder: server_context(folder, make_authority("localhost")),
        "certificate_untrusted",
        "self-signed",
    ),
    "unknown issuer": (
        lambda _, __, folder: server_context(folder, (own := make_authority("Own")).issue("localhost"), own),
        "certificate_untrusted",
        "'localhost', issued by 'Own'",
    ),
    "wrong name": (
        lambda _, middle, folder: server_context(folder, middle.issue("other", host="other.example"), middle),
        "certificate_name",
        "other.example",
    ),
    "expired": (
        lambda _, middle, folder: server_context(folder, middle.issue("localhost", begin=-90, end=-1), middle),
        "certificate_expired",
        "has expired",
    ),
    "not valid yet": (
        lambda _, middle, folder: server_context(folder, middle.issue("localhost", begin=1), middle),
        "certificate_expired",
        "not valid yet",
    ),
    "of 90 days, 10 left": (
        lambda _, middle, folder: server_context(folder, middle.issue("localhost", begin=-80, end=10), middle),
        "certificate_expiring",
        "in 9 days",
    ),
    "old TLS too": (_old, "tls_old", "TLS 1.1 or 1.0"),
    "only old TLS": (_only_old, "tls_version", "only TLS 1.1 or 1.0"),
    "only TLS 1.3": (_only_newest, "tls_version", "TLS 1.2"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_fault_of_tls_is_named_and_nothing_else(bench: Bench, tmp_path: Path, case: str) -> None:
    make_context, expected, words = CASES[case]
    root = make_authority("Root")
    middle = root.issue("Middle", is_authority=True)
    trusted = tmp_path / "root.pem"
    trusted.write_bytes(root.pem)
    with broken_proxy(bench.live.base_url, make_context(root, middle, tmp_path)) as proxy:
        seen = faults(replace(bench, proxy=proxy).judge(proxy.origin + SCIM, ca_file=trusted))

    assert set(seen) == ({expected} if expected else set()), seen
    assert words in "".join(seen.values())


def test_http_is_a_warning_unless_it_stays_on_the_machine(bench: Bench) -> None:
    port = bench.live.base_url.rpartition(":")[2]

    assert set(faults(bench.judge(f"http://0.0.0.0:{port}{SCIM}"))) == {"plain_http"}
