"""Forms that create one object, also if they are sent twice, as by a double click without a script.

The form has a random value. The ID of the object is derived from it and from the session, so that the database finds
the object of the first request in the transaction of the second one, and a browser cannot choose an ID.
"""

import hashlib
import secrets
import uuid

from scimsvc.console.forms import current_form, text
from scimsvc.console.pages import signed_in_session

#: The name of the field.
FIELD = "once"


def one_time_value() -> str:
    """Return the value of the field for a new form, or that of a form that was refused."""
    return str(current_form().value(FIELD) or secrets.token_hex(16))


def one_time_token_id() -> str | None:
    """Return the ID of the token that the form creates, or None if the form has no value."""
    value = text(FIELD)
    key = f"{signed_in_session().id} {value}"
    return hashlib.sha256(key.encode()).hexdigest()[:32] if value else None


def one_time_id() -> str | None:
    """Return the ID of another object that the form creates, or None if the form has no value."""
    digits = one_time_token_id()
    return str(uuid.UUID(hex=digits, version=4)) if digits else None
