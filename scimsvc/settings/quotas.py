"""The quotas of an enterprise, which only the operator of the service can set.

The defaults are far above what an enterprise needs. They keep one enterprise from filling the database of all others.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scimsvc.settings.limits import LimitRange, changed_limits

#: The highest quota of bytes: a terabyte.
_MOST_BYTES = 1_000_000_000_000


@dataclass(frozen=True, slots=True)
class Quotas:
    """The most that one enterprise may have."""

    users: int = 1_000_000
    #: Bytes of the SCIM documents of all users.
    stored_bytes: int = 10_000_000_000
    groups: int = 10_000
    #: Members of all groups together.
    memberships: int = 10_000_000
    roles: int = 1_000
    #: Aliases of one role.
    aliases: int = 1_000
    integrations: int = 1_000
    #: Valid tokens. Expired and revoked ones do not count.
    tokens: int = 100_000
    webhooks: int = 10
    #: Entries of the provisioning log. Pruning deletes the oldest entries over it.
    log_entries: int = 5_000_000


def _quota(name: str, most: int, description: str) -> LimitRange:
    return LimitRange(name, 1, most, f"{description} of an enterprise", Quotas())


QUOTA_RANGES = (
    _quota("users", 100_000_000, "users"),
    _quota("stored_bytes", _MOST_BYTES, "bytes of the documents of all users"),
    _quota("groups", 1_000_000, "groups"),
    _quota("memberships", 1_000_000_000, "members of all groups"),
    _quota("roles", 10_000, "roles"),
    LimitRange("aliases", 1, 10_000, "aliases of a role", Quotas()),
    _quota("integrations", 100_000, "integrations"),
    _quota("tokens", 10_000_000, "valid tokens"),
    _quota("webhooks", 1_000, "webhooks"),
    _quota("log_entries", 1_000_000_000, "entries of the provisioning log"),
)


def quotas_of(values: Mapping[str, Any]) -> Quotas:
    """Return the quotas in the settings ``values``. A setting of None has the default."""
    return Quotas(**changed_limits(QUOTA_RANGES, values))
