"""Certificates of an authority that exists only in tests."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Authority:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    def issue(
        self, name: str, *, is_authority: bool = False, host: str = "localhost", begin: int = -1, end: int = 90
    ) -> "Authority":
        """Issue a certificate, valid from day ``begin`` to day ``end`` from now."""
        return _issue(name, self, is_authority=is_authority, host=host, begin=begin, end=end)


def make_authority(name: str, host: str = "localhost") -> Authority:
    """Return a new self-signed certificate."""
    return _issue(name, None, is_authority=True, host=host, begin=-1, end=90)


def _issue(name: str, issuer: Authority | None, *, is_authority: bool, host: str, begin: int, end: int) -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    unsigned = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + begin * _DAY)
        .not_valid_after(now + end * _DAY)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    )
    return Authority(unsigned.sign(issuer.key if issuer else key, hashes.SHA256()), key)


def server_context(folder: Path, certificate: Authority, *further: Authority) -> ssl.SSLContext:
    """Return the context of a server that sends the certificate and the ``further`` ones of its chain."""
    path = folder / f"{certificate.certificate.serial_number:x}.pem"
    key = certificate.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(key + b"".join(each.pem for each in (certificate, *further)))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context
