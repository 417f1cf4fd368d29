"""The causes of refusals that are still open, each with its people, its beginning and its remedies."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from scimsvc.enterprises.removal_limit import count_removals
from scimsvc.mapping.roles import read_enterprise_roles
from scimsvc.protocol.reasons import Reason
from scimsvc.reports.causes import Remedy, explain_refusal, has_update_words, is_on_hold
from scimsvc.reports.client_providers import client_providers
from scimsvc.reports.open_refusals import OpenRefusals, read_open_refusals, wants_address
from scimsvc.store.log import LogRow
from scimsvc.store.log_reports import list_beginnings
from scimsvc.store.people import Person, list_people
from scimsvc.store.tenancy import Tenant
from scimsvc.vocabulary import CREATE, DELETE, PATCH

#: The people of a cause who are named. The log has the others.
MOST_PEOPLE = 20
#: The refusals whose beginning is looked up, and the users who are looked up at once.
_MOST_LOOKED_UP = 500

#: The key of refusals with one cause: the cause, or else the status; ``PATCH`` if updates have other words; the folded
#: role value; and whether it is fixed.
_Key: TypeAlias = tuple[str | int | None, str, str | None, bool]


class Affected(NamedTuple):
    """Whom a refusal is about, with the ID of the entry."""

    entry_id: str
    email: str | None
    user_name: str | None
    external_id: str | None
    user_id: str | None
    group: str | None
    group_id: str | None
    #: Whether a user with the ID exists.
    is_stored: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCause:
    """A cause of open refusals."""

    #: Names the cause among the open causes of the enterprise.
    key: str
    cause: str
    title: str
    advice: str
    remedies: Sequence[Remedy]
    #: The number of refusals: one for each person.
    refusals: int
    #: The refusals by operation.
    operations: Mapping[str, int]
    #: At most ``MOST_PEOPLE`` of those whom the refusals are about, the last one first.
    people: Sequence[Affected]
    #: When the first of the people was refused for this cause for the first time, and when the last one was for the
    #: last time.
    since: str
    last: str
    #: The error of the last refusal.
    detail: str | None
    #: Whether the cause is gone, so that the provider's next attempt succeeds.
    is_fixed: bool
    #: Whether the provider's retry succeeds without a correction of the data.
    is_on_hold: bool
    #: The IDs of the entries.
    entries: Sequence[str]

    @property
    def is_error(self) -> bool:
        """Whether someone must correct something."""
        return not (self.is_fixed or self.is_on_hold)

    @property
    def not_created(self) -> int:
        """The number of people who were not created."""
        return self.operations.get(CREATE, 0) if self.people else 0

    @property
    def not_deleted(self) -> int:
        """The number of users who were not deleted."""
        return self.operations.get(DELETE, 0) if self.people else 0

    @property
    def not_changed(self) -> int:
        """The number of users who were not changed."""
        return self.refusals - self.not_created - self.not_deleted if self.people else 0


def list_open_causes(tenant: Tenant, refusals: OpenRefusals | None = None) -> list[OpenCause]:
    """Return the causes of the enterprise's open ``refusals``: errors, then those on hold; most frequent first."""
    refusals = refusals or read_open_refusals(tenant)
    groups: dict[_Key, list[LogRow]] = {}
    is_fixed, provider_of = _fix_check(tenant, refusals), client_providers(tenant)
    for row in refusals.rows:
        kind = PATCH if has_update_words(row.cause, row.operation) else ""
        groups.setdefault((row.cause or row.status, kind, row.role_key, is_fixed(row)), []).append(row)
    beginnings = _beginnings(tenant, refusals.rows)
    people = _people(tenant, groups.values())
    causes = [_cause(key, rows, beginnings, people, provider_of(rows[0].client_id)) for key, rows in groups.items()]
    return sorted(causes, key=lambda cause: (cause.is_on_hold, cause.is_fixed, -cause.refusals))


def _cause(
    key: _Key, rows: list[LogRow], beginnings: Mapping[str, str], people: Mapping[str, Person], provider: str | None
) -> OpenCause:
    newest = rows[0]
    affected = [_affected(row, people) for row in rows[:MOST_PEOPLE] if _names_someone(row)]
    about = affected[0].email or affected[0].user_id if affected else None
    words: dict[str, Any] = explain_refusal(newest, email=about, provider=provider)
    return OpenCause(
        **words,
        key="|".join(map(str, key)),
        refusals=len(rows),
        operations=Counter(row.operation for row in rows),
        people=affected,
        since=min(beginnings.get(row.id, row.time) for row in rows),
        last=newest.time,
        detail=newest.detail,
        is_fixed=key[-1],
        is_on_hold=is_on_hold(newest.cause, newest.status),
        entries=[row.id for row in rows],
    )


def _names_someone(row: LogRow) -> bool:
    return bool(row.email or row.user_id or row.user_name or row.external_id or row.group_name or row.group_id)


def _affected(row: LogRow, people: Mapping[str, Person]) -> Affected:
    stored = people.get(row.user_id or "")
    return Affected(
        entry_id=row.id,
        email=row.email or (stored.email if stored else None),
        user_name=row.user_name or (stored.user_name if stored else None),
        external_id=row.external_id,
        user_id=row.user_id,
        group=row.group_name,
        group_id=row.group_id,
        is_stored=stored is not None,
    )


def _people(tenant: Tenant, groups: Iterable[Sequence[LogRow]]) -> dict[str, Person]:
    """Return the stored users who are named, by ID."""
    ids = list(dict.fromkeys(row.user_id for rows in groups for row in rows[:MOST_PEOPLE] if row.user_id))
    return {each.id: each for each in list_people(tenant.connection, tenant.id, ids[:_MOST_LOOKED_UP])} if ids else {}


def _beginnings(tenant: Tenant, rows: Sequence[LogRow]) -> dict[str, str]:
    """Return the times since which people are refused for the same cause, by the ID of the last refusal."""
    ids = [row.id for row in rows if row.email_key][:_MOST_LOOKED_UP]
    found = list_beginnings(tenant.connection, tenant.id, ids) if ids else ()
    return {each.id: each.time for each in found if each.time is not None}


def list_swaps(refusals: OpenRefusals) -> list[dict[str, Any]]:
    """Return the pairs of users who want each other's addresses: the ``id`` and ``email`` of both ``users``.

    Both were refused last, each because the other has the address, and both still have the address from then.
    """
    waiting = {
        row.user_id: row
        for row in refusals.rows
        if wants_address(row) and refusals.addresses.get(row.user_id or "") == row.email_key
    }
    swaps = []
    for user_id, row in waiting.items():
        other = waiting.get(row.holder_id)
        if other is not None and other.holder_id == user_id and (user_id or "") < (other.user_id or ""):
            swaps.append({"users": [{"id": each.user_id, "email": each.email} for each in (row, other)]})
    return swaps


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
        Reason.SUSPENDED: lambda _: row.suspension is None,
        Reason.EMAIL_TAKEN: lambda refusal: _is_address_free(refusal, refusals),
        Reason.USER_NAME_TAKEN: lambda _: not row.unique_user_name,
        Reason.GROUP_NAME_TAKEN: lambda _: not row.unique_group_name,
        Reason.UNKNOWN_ATTRIBUTE: lambda _: not row.reject_unknown_attributes,
    }
    return lambda refusal: refusal.cause in is_gone and is_gone[refusal.cause](refusal)


def _is_address_free(refusal: LogRow, refusals: OpenRefusals) -> bool:
    """Return whether the refused user now has another address, as after a swap, or its holder gave the address up."""
    holder = refusal.holder_id
    if holder in refusals.looked_up:
        present = refusals.addresses.get(holder or "")
        if present is None or (refusal.operation == CREATE and present != refusal.email_key):
            return True
    return refusals.addresses.get(refusal.user_id or "", refusal.email_key) != refusal.email_key
