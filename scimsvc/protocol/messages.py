"""The messages in answers (RFC 7644 §3.4.2, §3.12)."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from scimsvc.protocol import urns
from scimsvc.protocol.errors import ScimError
from scimsvc.protocol.json_text import write_json
from scimsvc.protocol.media_types import SCIM_JSON

MEDIA_TYPE = SCIM_JSON


class Representation(NamedTuple):
    """A resource in an answer: its JSON text, URI and ETag."""

    id: str
    text: str
    location: str
    entity_tag: str


def error_message(error: ScimError) -> dict[str, Any]:
    """Return the body of an error. Its ``status`` is a string (RFC 7644 §3.12)."""
    message: dict[str, Any] = {"schemas": [urns.ERROR], "status": str(error.status), "detail": error.detail}
    if error.scim_type is not None:
        message["scimType"] = error.scim_type
    return message


def list_response(
    resources: Sequence[str], *, total: int, start_index: int | None = None, next_cursor: str | None = None
) -> str:
    """Return the JSON text of a ListResponse with the texts of its ``resources`` (RFC 7644 §3.4.2, RFC 9865 §2)."""
    where = "" if start_index is None else f',"startIndex":{start_index}'
    if next_cursor is not None:
        where += f',"nextCursor":{write_json(next_cursor)}'
    return (
        f'{{"schemas":["{urns.LIST_RESPONSE}"],"totalResults":{total},"itemsPerPage":{len(resources)}{where},'
        f'"Resources":[{",".join(resources)}]}}'
    )
