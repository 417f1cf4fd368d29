"""The causes of refusals that are still open.

A refusal is open until a later entry for the same user or address is logged: a success closes it, and another refusal
replaces it. A refusal without a user is open for one day, because a provider repeats it in its next cycle. The refusal
of a client is open until this client is accepted, and for at most one day.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeAlias

from scimsvc import clock
from scimsvc.enterprises.removal_limit import count_removals
from scimsvc.mapping.roles import read_enterprise_roles
from scimsvc.protocol.reasons import Reason
from scimsvc.reports.causes import explain_refusal
from scimsvc.reports.client_providers import client_providers
from scimsvc.store.holders import list_addresses
from scimsvc.store.integrations import list_client_uses
from scimsvc.store.log import LogRow
from scimsvc.store.log_reports import list_open_refusals
from scimsvc.store.tenancy import Tenant
from scimsvc.vocabulary import AUTHENTICATE

#: Refusals that are looked at. An enterprise with more of them has worse problems than a number that is too low.
_MOST_REFUSALS = 5_000
_MOST_PEOPLE = 5
_OPEN_FOR = timedelta(days=1)

#: Refusals because of an address whose users are looked up.
_MOST_CONFLICTS = 500

#: The key of refusals with one cause: the cause, or else the status, the folded role value, and whether it is fixed.
_Key: TypeAlias = tuple[str | int | None, str | None, bool]


class OpenRefusals(NamedTuple):
    """The open refusals, newest first, and the present addresses of users who were refused because of an address."""

    rows: Sequence[LogRow]
    addresses: Mapping[str, str]


def read_open_refusals(tenant: Tenant) -> OpenRefusals:
    """Return the enterprise's open refusals."""
    rows = _still_open(tenant, list_open_refusals(tenant.connection, tenant.id, limit=_MOST_REFUSALS), clock.now())
    ids = [row.user_id for row in rows if _wants_address(row)][:_MOST_CONFLICTS]
    present = list_addresses(tenant.connection, tenant.id, list(filter(None, ids))) if ids else ()
    return OpenRefusals(rows, {user.id: user.email_key for user in present})


def list_swaps(refusals: OpenRefusals) -> list[dict[str, Any]]:
    """Return the pairs of users who want each other's addresses: the ``id`` and ``email`` of both ``users``.

    Both were refused last, each because the other has the address, and both still have the address from then.
    """
    waiting = {
        row.user_id: row
        for row in refusals.rows
        if _wants_address(row) and refusals.addresses.get(row.user_id or "") == row.email_key
    }
    swaps = []
    for user_id, row in waiting.items():
        other = waiting.get(row.holder_id)
        if other is not None and other.holder_id == user_id and (user_id or "") < (other.user_id or ""):
            swaps.append({"users": [{"id": each.user_id, "email": each.email} for each in (row, other)]})
    return swaps


def _wants_address(row: LogRow) -> bool:
    """Return whether ``row`` is the refusal of a change whose address another user has."""
    return row.cause == Reason.EMAIL_TAKEN and row.holder_id is not None and row.user_id is not None


def list_open_causes(tenant: Tenant, refusals: OpenRefusals | None = None) -> list[dict[str, Any]]:
    """Return the causes of the enterprise's open ``refusals``, most frequent first.

    Each cause has the members of ``explain_cause``, the number of ``refusals``, the time of the ``last`` one, some of
    the ``people`` concerned, and ``is_fixed``: whether the cause is gone, so that the provider's next attempt succeeds.
    """
    refusals = refusals or read_open_refusals(tenant)
    groups: dict[_Key, list[LogRow]] = {}
    is_fixed, provider_of = _fix_check(tenant, refusals), client_providers(tenant)
    for row in refusals.rows:
        groups.setdefault((row.cause or row.status, row.role_key, is_fixed(row)), []).append(row)
    causes = [_cause(group, is_fixed, provider_of(group[0].client_id)) for group in groups.values()]
    return sorted(causes, key=lambda cause: -cause["refusals"])


def _still_open(tenant: Tenant, rows: Iterable[LogRow], now: datetime) -> list[LogRow]:
    clients = list_client_uses(tenant.connection, tenant.id)
    last_used = {client.client_id: client.last_used_at or "" for client in clients}
    since = clock.timestamp(now - _OPEN_FOR)

    def is_open(row: LogRow) -> bool:
        if row.operation == AUTHENTICATE:
            return bool(row.time >= since and last_used.get(row.client_id, "") < row.time)
        return bool(row.email_key or row.user_id or row.time >= since)

    return [row for row in rows if is_open(row)]


def _cause(rows: list[LogRow], is_fixed: Callable[[LogRow], bool], provider: str | None) -> dict[str, Any]:
    newest = rows[0]
    people = list(dict.fromkeys(row.email or row.user_id for row in rows if row.email or row.user_id))
    about = people[0] if people else None
    return explain_refusal(newest, email=about, provider=provider) | {
        "refusals": len(rows),
        "last": newest.time,
        "people": people[:_MOST_PEOPLE],
        "detail": newest.detail,
        "is_fixed": is_fixed(newest),
    }


def _fix_check(tenant: Tenant, refusals: OpenRefusals) -> Callable[[LogRow], bool]:
    """Return a function that checks whether the cause of a refusal is gone."""
    row = tenant.row
    roles = read_enterprise_roles(tenant.connection, tenant.id, row.name)
    removals = count_removals(tenant.connection, row)
    is_gone: dict[str, Callable[[LogRow], bool]] = {
        Reason.UNKNOWN_ROLE: lambda refusal: refusal.role_key in roles.by_name,
        Reason.PAUSED: lambda _: not row.paused,
        Reason.REMOVAL_LIMIT: lambda _: removals is None or not removals.is_limit_reached,
        Reason.SCIM_OFF: lambda _: bool(row.scim_enabled),
        Reason.EMAIL_TAKEN: lambda refusal: _has_other_address(refusal, refusals),
        Reason.USER_NAME_TAKEN: lambda _: not row.unique_user_name,
        Reason.UNKNOWN_ATTRIBUTE: lambda _: not row.reject_unknown_attributes,
    }
    return lambda refusal: refusal.cause in is_gone and is_gone[refusal.cause](refusal)


def _has_other_address(refusal: LogRow, refusals: OpenRefusals) -> bool:
    """Return whether the refused user now has another address, as after a swap."""
    return refusals.addresses.get(refusal.user_id or "", refusal.email_key) != refusal.email_key
