"""The limits on requests that operators can set. ``protocol.limits`` has their defaults.

Within the range of each limit the service answers in seconds on both databases.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from scimsvc.protocol.limits import DEFAULTS, Limits
from scimsvc.settings.values import Unusable


@dataclass(frozen=True, slots=True)
class LimitRange:
    """A limit: its name in ``defaults``, the range of its values, and a description of the counted items."""

    name: str
    least: int
    most: int
    description: str
    #: The default values of all limits of the kind.
    defaults: Any = DEFAULTS

    @property
    def setting(self) -> str:
        """The name of the setting, without the prefix."""
        return f"MAX_{self.name.upper()}"

    @property
    def default(self) -> int:
        """The default value."""
        return int(getattr(self.defaults, self.name))

    def read(self, text: str) -> int:
        """Return the number in ``text``. Raises ``Unusable`` if it is not in the range."""
        if not re.fullmatch(r"\d{1,13}", text, re.ASCII) or not self.least <= int(text) <= self.most:
            raise Unusable(f"Use a whole number from {self.least} to {self.most} (maximum {self.description}).")
        return int(text)


LIMIT_RANGES = (
    LimitRange("body", 16 * 1024, 16 * 1024 * 1024, "bytes of a body"),
    LimitRange("headers", 8 * 1024, 1024 * 1024, "bytes of a request line and headers"),
    LimitRange("json_depth", 10, 100, "levels of a JSON body"),
    LimitRange("string_length", 1024, 16 * 1024 * 1024, "characters of a string of a JSON body"),
    LimitRange("elements", 10, 10_000, "elements of a multi-valued attribute"),
    LimitRange("members", 10, 100_000, "members of groups in a request"),
    LimitRange("document", 16 * 1024, 16 * 1024 * 1024, "bytes of a user"),
    LimitRange("patch_operations", 10, 10_000, "operations of a PATCH"),
    LimitRange("patch_conditions", 10, 10_000, "conditions in all paths of a PATCH"),
    LimitRange("bulk_operations", 1, 10_000, "operations of a Bulk request"),
    LimitRange("filter_length", 200, 20_000, "characters of a filter or path"),
    LimitRange("filter_conditions", 5, 200, "conditions of a filter"),
    LimitRange("filter_depth", 2, 25, "levels of a filter"),
    LimitRange("page", 1, 10_000, "users a page, whatever `count` says"),
    LimitRange("read_seconds", 1, 300, "seconds that the database works on a read"),
    LimitRange("write_seconds", 5, 300, "seconds that the database works on a write or a request"),
)


def limits_of(values: Mapping[str, Any]) -> Limits:
    """Return the limits in the settings ``values``. A setting of None has the default."""
    changed = changed_limits(LIMIT_RANGES, values)
    return Limits(**changed) if changed else DEFAULTS


def changed_limits(ranges: Iterable[LimitRange], values: Mapping[str, Any]) -> dict[str, int]:
    """Return the limits of ``ranges`` that are set in ``values``, by name."""
    return {limit.name: values[limit.setting] for limit in ranges if values[limit.setting] is not None}
