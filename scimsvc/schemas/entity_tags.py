"""Entity tags of the enterprise API's resources, and ``If-Match`` (RFC 9110 §13.1.1).

A tag is a digest of the representation, so that every change of the representation changes the tag.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from scimsvc.errors import OutOfDate
from scimsvc.protocol.json_text import write_json
from scimsvc.protocol.versions import names

#: Members that change without a change of the resource, or that only one answer contains.
_PASSING = frozenset(
    {
        *("users", "confirmed_at", "last_used_at", "days_left", "client_secret", "warning"),
        *("secret", "cursor", "waiting", "next_attempt_at", "failing_since", "last_success_at"),
    }
)


def entity_tag(representation: Mapping[str, Any]) -> str:
    """Return the weak entity tag of a ``representation``."""
    lasting = {name: value for name, value in representation.items() if name not in _PASSING}
    return f'W/"{hashlib.sha256(write_json(lasting).encode()).hexdigest()[:16]}"'


def check_if_match(representation: Mapping[str, Any], if_match: str | None) -> None:
    """Raise ``OutOfDate`` if ``if_match`` is not None and does not name the ``representation``."""
    if if_match is not None and not names(if_match, entity_tag(representation)):
        raise OutOfDate("The resource was changed since you read it. Load it again, and then repeat the change.")
