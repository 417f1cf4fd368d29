"""The quotas of an enterprise, which only the operator of the service can set.

The defaults are far above what an enterprise needs. They keep one enterprise from filling the database of all others.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scimsvc.settings.values import Unusable

#: The highest quota of bytes: a terabyte.
_MOST_BYTES = 1_000_000_000_000


@dataclass(frozen=True, slots=True)
class Quotas:
    """The most that one enterprise may have."""

    users: int = 1_000_000
    #: Bytes of the SCIM documents of all users.
    stored_bytes: int = 10_000_000_000
    roles: int = 1_000
    #: Aliases of one role.
    aliases: int = 1_000
    integrations: int = 1_000
    #: Valid tokens. Expired and revoked ones do not count.
    tokens: int = 100_000
    #: Entries of the provisioning log. Pruning deletes the oldest entries over it.
    log_entries: int = 5_000_000


@dataclass(frozen=True, slots=True)
class QuotaRange:
    """A quota: its name in ``Quotas``, the range of its values, and a description of the counted items."""

    name: str
    most: int
    description: str

    @property
    def setting(self) -> str:
        """The name of the setting, without the prefix."""
        return f"MAX_{self.name.upper()}"

    @property
    def default(self) -> int:
        """The default value."""
        return int(getattr(_DEFAULTS, self.name))

    def read(self, text: str) -> int:
        """Return the number in ``text``. Raises ``Unusable`` if it is not in the range."""
        if not re.fullmatch(r"\d{1,13}", text, re.ASCII) or not 1 <= int(text) <= self.most:
            raise Unusable(f"Use a whole number from 1 to {self.most} (maximum {self.description}).")
        return int(text)


_DEFAULTS = Quotas()
QUOTA_RANGES = (
    QuotaRange("users", 100_000_000, "users of an enterprise"),
    QuotaRange("stored_bytes", _MOST_BYTES, "bytes of the documents of all users of an enterprise"),
    QuotaRange("roles", 10_000, "roles of an enterprise"),
    QuotaRange("aliases", 10_000, "aliases of a role"),
    QuotaRange("integrations", 100_000, "integrations of an enterprise"),
    QuotaRange("tokens", 10_000_000, "valid tokens of an enterprise"),
    QuotaRange("log_entries", 1_000_000_000, "entries of the provisioning log of an enterprise"),
)


def quotas_of(values: Mapping[str, Any]) -> Quotas:
    """Return the quotas in the settings ``values``. A setting of None has the default."""
    return Quotas(**{quota.name: _value(values, quota) for quota in QUOTA_RANGES})


def _value(values: Mapping[str, Any], quota: QuotaRange) -> int:
    value = values[quota.setting]
    return quota.default if value is None else int(value)
