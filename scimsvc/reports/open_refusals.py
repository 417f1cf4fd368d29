"""The refusals that are still open.

A refusal is open until a later entry for the same user or address is logged: a success closes it, and another refusal
replaces it. A refusal of a person who has neither closes when a user with the same externalId exists, and another
refusal with the same externalId or userName replaces it. A refusal about no person is open for one day, because a
provider repeats it in its next cycle. The refusal of a client is open until this client is accepted, and for at most
one day. An administrator can dismiss a refusal.

Entra repeats a refused request at least once a day, as long as the person is in scope. If it has not done so for
``NOT_SENT_FOR``, and sent other requests on as many days, then it does not send the person any more, and the refusal
closes. Other providers do not repeat requests.
"""

import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol, TypeVar

from scimsvc import clock
from scimsvc.protocol.attributes import fold
from scimsvc.protocol.reasons import Reason
from scimsvc.store.cycles import CycleRow, list_cycles
from scimsvc.store.holders import list_addresses, list_external_ids
from scimsvc.store.integrations import ClientUse, list_client_uses
from scimsvc.store.log import LogRow
from scimsvc.store.log_reports import list_open_refusals
from scimsvc.store.tenancy import Tenant
from scimsvc.vocabulary import AUTHENTICATE
from scimsvc.web.providers import is_for_entra, recognized_providers

#: Refusals that are looked at. An enterprise with more of them has worse problems than a number that is too low.
MOST_REFUSALS = 5_000
_OPEN_FOR = timedelta(days=1)
NOT_SENT_FOR = timedelta(days=3)
#: People and users who are looked up.
_MOST_LOOKED_UP = 500


class Refusal(Protocol):
    """The members of a refused entry that decide whether it is open."""

    @property
    def time(self) -> str:
        """The time of the refusal."""

    @property
    def operation(self) -> str:
        """The refused operation."""

    @property
    def user_id(self) -> str | None:
        """The ID of the user."""

    @property
    def email_key(self) -> str | None:
        """The folded address of the user."""

    @property
    def user_name(self) -> str | None:
        """The userName of the person."""

    @property
    def external_id(self) -> str | None:
        """The externalId of the person."""

    @property
    def client_id(self) -> str:
        """The client that was refused."""


RefusalT = TypeVar("RefusalT", bound=Refusal)


class OpenRefusals(NamedTuple):
    """The open refusals, newest first."""

    rows: Sequence[LogRow]
    #: The users who were refused because of an address, and those who have it, that were looked up; and the present
    #: address of those who exist.
    looked_up: Collection[str | None]
    addresses: Mapping[str, str]


def read_open_refusals(tenant: Tenant) -> OpenRefusals:
    """Return the enterprise's open refusals."""
    connection, now = tenant.connection, clock.now()
    rows = list_open_refusals(connection, tenant.id, limit=MOST_REFUSALS)
    check = OpenCheck(
        list_client_uses(connection, tenant.id),
        _cycles_since(tenant, rows, now),
        list_external_ids(connection, tenant.id, only_external_ids(rows)[:_MOST_LOOKED_UP]),
        now,
    )
    rows = check.still_open(rows)
    taken = [row for row in rows if row.cause == Reason.EMAIL_TAKEN and row.holder_id is not None]
    ids = [each for row in taken[:_MOST_LOOKED_UP] for each in (row.user_id, row.holder_id) if each is not None]
    present = list_addresses(connection, tenant.id, ids) if ids else ()
    return OpenRefusals(rows, frozenset(ids), {user.id: user.email_key for user in present})


def wants_address(row: LogRow) -> bool:
    """Return whether ``row`` is the refusal of a change whose address another user has."""
    return row.cause == Reason.EMAIL_TAKEN and row.holder_id is not None and row.user_id is not None


def only_external_ids(rows: Iterable[Refusal]) -> list[str]:
    """Return the externalIds of people who were refused without an address and an ID."""
    unnamed = (row for row in rows if not (row.email_key or row.user_id))
    return list(dict.fromkeys(row.external_id for row in unnamed if row.external_id))


def _cycles_since(tenant: Tenant, rows: Sequence[Refusal], now: datetime) -> list[CycleRow]:
    """Return the cycles after the oldest of the ``rows``. They matter only for refusals that are some days old."""
    oldest = clock.parse_timestamp(rows[-1].time) if rows else now
    return list_cycles(tenant.connection, tenant.id, since=oldest) if oldest <= now - NOT_SENT_FOR else []


class OpenCheck:
    """Decides which refusals of one enterprise are open."""

    def __init__(
        self, clients: Iterable[ClientUse], cycles: Iterable[CycleRow], external_ids: Iterable[str], now: datetime
    ) -> None:
        self._clients = {client.client_id: client for client in clients}
        self._stored = frozenset(external_ids)
        self._newest, self._oldest = clock.timestamp(now - _OPEN_FOR), clock.timestamp(now - NOT_SENT_FOR)
        self._starts: dict[str, list[str]] = {}
        for cycle in cycles:
            self._starts.setdefault(cycle.integration_id, []).append(cycle.started_at)

    def still_open(self, rows: Iterable[RefusalT]) -> list[RefusalT]:
        """Return the refusals of ``rows``, which are newest first, that are open."""
        people: set[str] = set()
        return [row for row in rows if self.is_open(row) and not _is_repeated(row, people)]

    def is_open(self, row: Refusal) -> bool:
        """Return whether a refusal without a later entry is open."""
        if row.operation == AUTHENTICATE:
            client = self._clients.get(row.client_id)
            return row.time >= self._newest and (client is None or (client.last_used_at or "") < row.time)
        if not (row.email_key or row.user_id):
            if row.external_id in self._stored:
                return False
            if not (row.external_id or row.user_name):
                return row.time >= self._newest
        return not self._is_sent_no_more(row)

    def _is_sent_no_more(self, row: Refusal) -> bool:
        if row.time > self._oldest:
            return False
        client = self._clients.get(row.client_id)
        provider = (client.provider if client else None) or recognized_providers.current.find(row.client_id)
        starts = self._starts.get(client.id if client else "") or itertools.chain(*self._starts.values())
        days = {start[: len("2026-11-27")] for start in starts if start > row.time}
        return is_for_entra(provider) and len(days) >= NOT_SENT_FOR.days


def _is_repeated(row: Refusal, people: set[str]) -> bool:
    """Return whether a newer refusal is about the same person, and add the person of this one to ``people``."""
    if row.email_key or row.user_id or not (row.external_id or row.user_name):
        return False  # the database finds later entries by address and ID
    person = f"externalId {row.external_id}" if row.external_id else f"userName {fold(row.user_name or '')}"
    if person in people:
        return True
    people.add(person)
    return False
