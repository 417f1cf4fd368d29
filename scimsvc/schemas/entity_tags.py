"""Entity tags of what the enterprise API shows, and ``If-Match`` on what can be changed (RFC 9110 §13.1.1).

A tag is made of the representation itself, so that whatever changes it changes the tag.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from scimsvc.errors import OutOfDate
from scimsvc.protocol.json_text import write_json
from scimsvc.protocol.versions import names

#: Members that change without anybody changing the thing itself, or that stand in one answer alone.
_PASSING = frozenset({"users", "last_used_at", "days_left", "client_secret", "warning"})


def entity_tag(representation: Mapping[str, Any]) -> str:
    """Return the weak entity tag of a thing, made of its ``representation``."""
    lasting = {name: value for name, value in representation.items() if name not in _PASSING}
    return f'W/"{hashlib.sha256(write_json(lasting).encode()).hexdigest()[:16]}"'


def check_if_match(representation: Mapping[str, Any], if_match: str | None) -> None:
    """Raise ``OutOfDate`` where ``if_match`` is given and does not name the ``representation``."""
    if if_match is not None and not names(if_match, entity_tag(representation)):
        raise OutOfDate("it was changed since it was read; read it again and repeat the change if it is still wanted")
