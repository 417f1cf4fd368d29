"""The texts of failed attempts. Each names the problem first, and then the change that solves it."""

import ssl

from scimsvc.notifications.sending.addresses import Address
from scimsvc.notifications.sending.urls import Target

_TRY_AGAIN = "Check that the receiver runs"


class Unreachable(Exception):
    """An attempt ended without an answer. The message says why, in full sentences."""


def unknown_name(host: str) -> str:
    """Return the text for a name that has no address."""
    return f"The name {host} cannot be resolved. Check the host in the URL and the DNS records of the name."


def slow_lookup(host: str, seconds: float) -> str:
    """Return the text for a name whose lookup takes too long."""
    return f"The name {host} was not resolved within {seconds:g} seconds. Check the DNS servers of the name."


def too_many_lookups(host: str) -> str:
    """Return the text for a name that is not looked up, because too many lookups hang."""
    return f"The name {host} was not resolved, because too many other lookups take long. It is tried again later."


def refused_address(host: str, address: Address, kind: str) -> str:
    """Return the text for a name that resolves to an address that is refused."""
    return (
        f"The name {host} resolves to {address}, which is {kind}. Webhooks reach only public addresses. "
        "The operator can allow other networks in SCIMSVC_WEBHOOK_NETWORKS."
    )


def not_connected(target: Target, error: OSError) -> str:
    """Return the text for a connection that could not be opened."""
    if isinstance(error, TimeoutError):
        return f"{_where(target)} did not accept a connection in time. {_TRY_AGAIN}, and its firewall."
    reason = error.strerror or type(error).__name__
    return f"{_where(target)} cannot be reached ({reason}). {_TRY_AGAIN} and that the port is correct."


def no_tls(target: Target, error: OSError) -> str:
    """Return the text for a TLS handshake that failed."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"The certificate of {target.host} is not valid: {error.verify_message.rstrip('.')}. "
            "Install a certificate that names the host, with its intermediate certificates, from a trusted authority."
        )
    if isinstance(error, TimeoutError):
        return f"{_where(target)} did not complete the TLS handshake in time. {_TRY_AGAIN}."
    return f"{_where(target)} did not complete the TLS handshake. Check that it serves HTTPS with TLS 1.2 or later."


def too_slow(target: Target, seconds: float) -> str:
    """Return the text for a receiver that does not complete its answer in time."""
    return (
        f"{target.host} did not answer within {seconds:g} seconds. "
        "Store the message first and answer 204 at once; process it afterwards."
    )


def broken(target: Target) -> str:
    """Return the text for a connection that ends in the middle of an answer."""
    return f"{target.host} closed the connection before its answer was complete. Check the receiver's log."


def not_http(target: Target) -> str:
    """Return the text for an answer that is not HTTP."""
    return f"{target.host} did not answer in HTTP/1.1. Check that the URL names the receiver."


def too_long(target: Target, most: int) -> str:
    """Return the text for headers that are too long."""
    return f"{target.host} answered with more than {most // 1024} kB of headers. Send fewer headers."


def bad_status(status: int) -> str:
    """Return the text for a status that is not a success."""
    if 300 <= status < 400:
        return (
            f"The receiver answered {status}. Redirects are not followed. Set the webhook's URL to the final address."
        )
    if status == 410:
        return "The receiver answered 410, which says that it is gone. The webhook is disabled."
    if status == 429:
        return "The receiver answered 429, which asks to slow down. The next attempt waits."
    if status in (401, 403):
        return f"The receiver answered {status}. Let it accept requests with a valid signature, without a sign-in."
    if status in (404, 405):
        return f"The receiver answered {status}. Check the path in the URL, and that it accepts POST."
    return f"The receiver answered {status}. Only a status from 200 to 299 is a success. Check the receiver's log."


def _where(target: Target) -> str:
    return f"{target.host} port {target.port}"
