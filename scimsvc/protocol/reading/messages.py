"""Recognize the messages of SCIM by the URN in their ``schemas`` (RFC 7644 §3.1)."""

from typing import Any

from scimsvc.protocol.attributes import fold
from scimsvc.protocol.reading.tolerances import RequestNotes, Tolerance


def names_message(schemas: Any, urn: str, notes: RequestNotes) -> bool:
    """Return whether the unread ``schemas`` contain the URN of a message, without regard to case."""
    if not isinstance(schemas, list):
        return False
    if urn in schemas:
        return True
    if fold(urn) not in (fold(each) for each in schemas if isinstance(each, str)):
        return False
    notes.tolerate(Tolerance.MESSAGE_URN_CASE)
    return True
