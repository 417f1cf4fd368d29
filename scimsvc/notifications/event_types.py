"""Match the types of events with those that a webhook chose."""

import json
from collections.abc import Collection


def read_types(text: str) -> frozenset[str]:
    """Return the types and patterns in the JSON list ``text`` of a webhook."""
    return frozenset(json.loads(text))


def is_wanted(event_type: str, types: Collection[str]) -> bool:
    """Return whether the ``types`` of a webhook contain the type, or the pattern for its kind, such as ``user.*``."""
    return event_type in types or f"{event_type.partition('.')[0]}.*" in types
