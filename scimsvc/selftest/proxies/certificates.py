"""Certificates and versions of TLS."""

import socket
import ssl
import time
from typing import Any

from scimsvc.selftest.exchange import TransportFailure, open_socket, tls_context
from scimsvc.selftest.findings import Finding
from scimsvc.selftest.proxies.catalog import read_catalog
from scimsvc.selftest.proxies.client_hello import offers_old_tls
from scimsvc.selftest.proxies.ground import Fault, Ground, Skip, judges
from scimsvc.selftest.target import Target

_DAY = 86400
_TIMEOUT = 15.0
#: The suites that Microsoft names for SCIM endpoints.
_ENTRA_SUITES = (
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES128-SHA256:ECDHE-RSA-AES256-SHA384"
)
# Numbers of OpenSSL (x509_vfy.h).
_NOT_YET_VALID, _EXPIRED, _NAME, _ADDRESS = 9, 10, 62, 64
_ISSUER_MISSING = (20, 21)


def explain_tls(target: Target) -> Finding | None:
    """Return the finding of a handshake that fails, or None if it succeeds or the reason is another one."""
    catalog = read_catalog()
    try:
        _shake_hands(target, tls_context(target))
    except ssl.SSLCertVerificationError as refusal:
        name, detail = _explain_certificate(target, refusal)
        return catalog[name].failed(detail)
    except (OSError, UnicodeError):
        if _offers_old(target):
            return catalog["tls_version"].failed("The server offers only TLS 1.1 or 1.0.")
    return None


def _explain_certificate(target: Target, refusal: ssl.SSLCertVerificationError) -> tuple[str, str]:
    certificate, is_single = _look_at(target)
    subject, issuer = _common_name(certificate, "subject"), _common_name(certificate, "issuer")
    if refusal.verify_code == _EXPIRED:
        return "certificate_expired", "The certificate, or one of its chain, has expired."
    if refusal.verify_code == _NOT_YET_VALID:
        return "certificate_expired", "The certificate, or one of its chain, is not valid yet: compare the clocks."
    if refusal.verify_code in (_NAME, _ADDRESS):
        names = ", ".join(value for _, value in certificate.get("subjectAltName", ())) or "none"
        return "certificate_name", f"The certificate is for other names than {target.host}: {names}."
    if refusal.verify_code in _ISSUER_MISSING and is_single:
        return "certificate_chain", f"The server sends the certificate {subject} without that of its issuer {issuer}."
    return "certificate_untrusted", f"No trusted issuer for {subject}, issued by {issuer}: {refusal.verify_message}."


def _look_at(target: Target) -> tuple[dict[str, Any], bool]:
    """Return the certificate as far as it can be read, and whether the server sends no other one."""
    unchecked = ssl.create_default_context()
    unchecked.check_hostname, unchecked.verify_mode = False, ssl.CERT_NONE
    try:
        with _connect(target, unchecked) as connection:
            content = connection.getpeercert(binary_form=True) or b""
            is_single = len(_chain(connection)) == 1
        trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trusting.check_hostname = False
        trusting.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        trusting.load_verify_locations(cadata=content)
        with _connect(target, trusting) as connection:  # Python decodes only verified certificates
            return dict(connection.getpeercert() or {}), is_single
    except (OSError, ValueError):  # an expired one is not verified this way either
        return {}, False


def _chain(connection: ssl.SSLSocket) -> list[Any]:
    """Return the certificates that the server sent. Python has a public name for this since 3.13."""
    source: Any = connection
    if not hasattr(source, "get_unverified_chain"):
        source = source._sslobj  # noqa: SLF001 (the public name is missing in Python 3.11 and 3.12)
    return list(source.get_unverified_chain() or ())


def _common_name(certificate: dict[str, Any], role: str) -> str:
    parts = {name: value for ((name, value),) in certificate.get(role, ())}
    return repr(parts.get("commonName") or next(iter(parts.values()), "unknown"))


def _shake_hands(target: Target, context: ssl.SSLContext) -> None:
    with _connect(target, context):
        pass


def _connect(target: Target, context: ssl.SSLContext) -> ssl.SSLSocket:
    plain = socket.create_connection((target.host, target.port), _TIMEOUT)
    try:
        return context.wrap_socket(plain, server_hostname=target.host)
    except BaseException:
        plain.close()
        raise


def _offers_old(target: Target) -> bool:
    try:
        return offers_old_tls(target)
    except (OSError, UnicodeError):
        return False


def _need_tls(ground: Ground) -> Target:
    if not ground.session.target.is_secure:
        raise Skip("The Tenant URL is http.")
    return ground.session.target


@judges("certificate_expired")
@judges("certificate_name")
@judges("certificate_chain")
@judges("certificate_untrusted")
def _judge_verified(ground: Ground) -> Fault | None:
    """A run begins only after a handshake with a verified certificate."""
    _need_tls(ground)
    return None


@judges("tls_version")
def _judge_version(ground: Ground) -> Fault | None:
    target = _need_tls(ground)
    context = tls_context(target)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_ENTRA_SUITES)
    try:
        _shake_hands(target, context)
    except OSError as error:
        return Fault(f"A handshake with TLS 1.2 and the suites of Entra fails: {error.strerror or error}.")
    return None


@judges("tls_old")
def _judge_old(ground: Ground) -> Fault | None:
    return Fault("A handshake with TLS 1.1 or 1.0 is answered.") if _offers_old(_need_tls(ground)) else None


@judges("certificate_expiring")
def _judge_expiry(ground: Ground) -> Fault | None:
    """A quarter of the lifetime, and at most 30 days, must be left. Renewal usually begins at a third."""
    target = _need_tls(ground)
    try:
        with open_socket(target) as connection:
            certificate: dict[str, Any] = (
                dict(connection.getpeercert() or {}) if isinstance(connection, ssl.SSLSocket) else {}
            )
    except TransportFailure as failure:
        raise Skip(f"No connection: {failure.reason}.") from None
    begin, end = (ssl.cert_time_to_seconds(certificate[name]) for name in ("notBefore", "notAfter"))
    left = end - time.time()
    if left >= min(30 * _DAY, (end - begin) / 4):
        return None
    return Fault(f"The certificate expires on {certificate['notAfter']}, in {max(0, int(left // _DAY))} days.")
