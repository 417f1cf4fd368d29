"""A TLS handshake's first message, written by hand: Python's own TLS refuses old versions before it asks the server."""

import secrets
import socket
import struct

from scimsvc.selftest.target import Target

_HANDSHAKE, _SERVER_HELLO = 22, 2
_TLS_1_0, _TLS_1_1 = 0x0301, 0x0302
#: ECDHE and RSA with AES and 3DES in CBC mode: the suites of these versions that servers may still offer.
_SUITES = (0xC009, 0xC013, 0xC00A, 0xC014, 0x002F, 0x0035, 0x000A)
_TIMEOUT = 10.0


def offers_old_tls(target: Target) -> bool:
    """Return whether the server accepts TLS 1.1 or 1.0. Raises ``OSError`` if there is no connection."""
    with socket.create_connection((target.host, target.port), _TIMEOUT) as connection:
        connection.sendall(_client_hello(target.host))
        try:
            return _is_old_hello(_read(connection, 11))
        except OSError:  # closed, or silent
            return False


def _is_old_hello(record: bytes) -> bool:
    """Return whether a record is a ServerHello of TLS 1.0 or 1.1 (RFC 4346 §7.4.1.3)."""
    if len(record) < 11 or record[0] != _HANDSHAKE or record[5] != _SERVER_HELLO:
        return False
    return struct.unpack("!H", record[9:11])[0] in (_TLS_1_0, _TLS_1_1)


def _read(connection: socket.socket, size: int) -> bytes:
    content = b""
    while len(content) < size and (received := connection.recv(size - len(content))):
        content += received
    return content


def _client_hello(host: str) -> bytes:
    """Return a ClientHello of TLS 1.1 (RFC 4346 §7.4.1.2), which a server may answer with TLS 1.0."""
    suites = b"".join(struct.pack("!H", suite) for suite in _SUITES)
    hello = struct.pack("!H", _TLS_1_1) + secrets.token_bytes(32) + b"\0" + _sized(suites) + b"\1\0" + _extensions(host)
    message = b"\1" + struct.pack("!I", len(hello))[1:] + hello
    return bytes([_HANDSHAKE]) + struct.pack("!H", _TLS_1_0) + _sized(message)


def _extensions(host: str) -> bytes:
    """Return the server's name (RFC 6066), the curves P-256 and P-384, and their points' form (RFC 8422)."""
    name = _sized(b"\0" + _sized(host.encode("idna")))
    groups = _sized(struct.pack("!HH", 23, 24))
    return _sized(
        b"".join(struct.pack("!H", kind) + _sized(body) for kind, body in ((0, name), (10, groups), (11, b"\1\0")))
    )


def _sized(content: bytes) -> bytes:
    return struct.pack("!H", len(content)) + content
