"""The bytes of a user's document, which is the JSON text of a response without ``meta``."""

from scimsvc.protocol.advice import Advice
from scimsvc.protocol.attributes import Resource
from scimsvc.protocol.errors import InvalidValue
from scimsvc.protocol.json_text import write_json
from scimsvc.protocol.limits import Limits

#: The maximum number of bytes of a character in UTF-8.
_BYTES_OF_CHARACTER = 4


def refuse_large_document(user: Resource, text: str, limits: Limits, *, before: str = "") -> None:
    """Raise ``InvalidValue`` if ``text``, the document of ``user``, has more bytes than ``limits`` allow.

    A user who already has more, with the document ``before``, may be disabled and must not grow otherwise.
    """
    if len(text) * _BYTES_OF_CHARACTER <= limits.document:
        return
    size = _size(text)
    # The value false of ``active`` is one byte longer than true.
    if size <= limits.document or size - (user["active"] is False) <= _size(before):
        return
    name, largest = max(((name, _size(write_json(value))) for name, value in user.items()), key=lambda each: each[1])
    raise InvalidValue(
        f"The user would have {size:,} bytes, of which the attribute {name} has {largest:,}. A user has at most "
        f"{limits.document:,} bytes.",
        advice=Advice("Shorten the attribute, or do not map it in Entra.", "Shorten the attribute, or do not send it."),
    )


def _size(text: str) -> int:
    return len(text.encode())
