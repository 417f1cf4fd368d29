"""Refuse what would exceed a quota of an enterprise, at almost no cost for requests that are far from it.

A quota is measured, and a tenth of the room that is left may then be used without another look, for at most a minute.
Far from a quota few requests measure it, and near it every request does. Other processes and writes that are not yet
committed are not seen. A quota may therefore be exceeded by a few, or by a tenth of the room for each process.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from flask import Flask

from scimsvc import clock
from scimsvc.errors import QuotaReached
from scimsvc.settings import PREFIX, Settings
from scimsvc.store import quotas as store
from scimsvc.store.engine.database import longer_deadline
from scimsvc.store.engine.outages import DATABASE_ERRORS
from scimsvc.store.engine.transactions import Connection, reading, without_timeouts
from scimsvc.store.feed import count_users, lock_feed
from scimsvc.store.webhooks import count_webhooks
from scimsvc.web.state import AppState

#: The part of the room that may be used without measuring again, and for how many seconds.
_SHARE = 10
_SECONDS = 60.0
#: Enterprises whose room is remembered.
_MOST = 4096
#: Seconds in which the bytes of all users are measured at the latest.
_LONGEST = 600.0

_logger = logging.getLogger("scimsvc")


class QuotaUse(NamedTuple):
    """How much of a quota an enterprise uses, and the name of its variable."""

    used: int
    limit: int
    counted: str
    variable: str


@dataclass(frozen=True, slots=True)
class _Quota:
    limit: int
    setting: str
    #: The counted objects, and what an administrator can do.
    counted: str
    advice: str

    def use(self, used: int) -> QuotaUse:
        """Return ``used`` with the quota."""
        return QuotaUse(used, self.limit, self.counted, f"{PREFIX}{self.setting}")

    def reached(self, used: int) -> QuotaReached:
        """Return the error for an enterprise that uses ``used`` already."""
        return QuotaReached(
            f"This enterprise has {used:,} {self.counted}, and at most {self.limit:,} are allowed. {self.advice}, or "
            f"ask the operator of this service to raise {PREFIX}{self.setting}."
        )


@dataclass(slots=True)
class _Room:
    used: int
    #: How much more may be used without measuring again, and until when (``clock.elapsed``). -1 is a refusal.
    left: int
    until: float


class Meter:
    """The use of one quota by each enterprise, as last measured, and what was claimed since then."""

    def __init__(
        self,
        quota: _Quota,
        measure: Callable[[Connection, str], int],
        *,
        lock: Callable[[Connection, str], object] | None = None,
        refuses_for: float = 0.0,
    ) -> None:
        self._quota = quota
        self._measure = measure
        #: Waits for transactions that add to the use, so that a claim that measures counts them.
        self._lock = lock
        #: Seconds for which a refusal is remembered, because measuring takes long.
        self._refuses_for = refuses_for
        self._rooms: dict[str, _Room] = {}

    def claim(self, enterprise_id: str, amount: int = 1, *, connection: Connection | None = None) -> int:
        """Return how much the enterprise uses with ``amount`` more. Raises ``QuotaReached``.

        Measures with ``connection``, whose transaction sees its own rows, or else in a transaction for reading.
        """
        room, now = self._rooms.get(enterprise_id), clock.elapsed()
        if room is None or now >= room.until or 0 <= room.left < amount:
            room = self._measured(enterprise_id, amount, connection, now)
        if amount > max(room.left, 0):
            raise self._quota.reached(room.used)
        room.left -= amount
        room.used += amount
        return room.used

    def measure(self, connection: Connection, enterprise_id: str) -> QuotaUse:
        """Return how much the enterprise uses."""
        return self._quota.use(self._measure(connection, enterprise_id))

    def _measured(self, enterprise_id: str, amount: int, connection: Connection | None, now: float) -> _Room:
        if connection is None:
            with reading() as own:
                used = self._measure(own, enterprise_id)
        else:
            if self._lock is not None and amount:
                self._lock(connection, enterprise_id)
            used = self._measure(connection, enterprise_id)
        free = self._quota.limit - used
        if free < amount:
            room = _Room(used, left=-1, until=now + self._refuses_for)
        else:
            room = _Room(used, left=amount + (free - amount) // _SHARE, until=now + _SECONDS)
        if len(self._rooms) >= _MOST:
            self._rooms.clear()
        self._rooms[enterprise_id] = room
        return room


class StoredBytes:
    """The bytes of all documents of an enterprise.

    Measuring them reads every user, so it happens in a thread, and only if the number of users allows that the quota is
    reached. Requests add what they write. A deletion counts with the next measurement, at least a minute later.
    """

    #: A thread measures for at most a twentieth of the time.
    _REST = 20

    def __init__(self, app: Flask, quota: _Quota, *, largest: int) -> None:
        self._app = app
        self._quota = quota
        self._largest = largest
        self._rooms: dict[str, _Room] = {}
        self._lock = threading.Lock()
        #: After a failure, when to measure again (``clock.elapsed``).
        self._not_before = 0.0
        self.thread: threading.Thread | None = None

    def claim(self, enterprise_id: str, more: int, *, users: int) -> None:
        """Claim ``more`` bytes for an enterprise with ``users``. Raises ``QuotaReached``."""
        if users * self._largest <= self._quota.limit:
            return
        room = self._rooms.get(enterprise_id)
        if room is None or clock.elapsed() >= room.until:
            self._measure_soon(enterprise_id)
        if room is None:
            return  # not known yet
        if more > 0 and room.used + more > self._quota.limit:
            raise self._quota.reached(room.used)
        room.used += more

    def measure(self, connection: Connection, enterprise_id: str) -> QuotaUse:
        """Return how much the enterprise uses. This reads every user."""
        return self._quota.use(store.sum_user_bytes(connection, enterprise_id))

    def _measure_soon(self, enterprise_id: str) -> None:
        with self._lock:
            is_busy = self.thread is not None and self.thread.is_alive()
            if not is_busy and clock.elapsed() >= self._not_before:
                self.thread = threading.Thread(
                    target=self._measure, args=(enterprise_id,), name="scimsvc-quota", daemon=True
                )
                self.thread.start()

    def _measure(self, enterprise_id: str) -> None:
        began = clock.elapsed()
        try:
            with self._app.app_context(), longer_deadline(_LONGEST), reading() as connection:
                without_timeouts(connection)
                used = store.sum_user_bytes(connection, enterprise_id)
        except DATABASE_ERRORS as error:
            _logger.warning("cannot measure the bytes of users: %s", type(error).__name__)
            self._not_before = clock.elapsed() + max(_SECONDS, self._REST * (clock.elapsed() - began))
            return
        now = clock.elapsed()
        if len(self._rooms) >= _MOST:
            self._rooms.clear()
        self._rooms[enterprise_id] = _Room(used, left=0, until=now + max(_SECONDS, self._REST * (now - began)))


class EnterpriseQuotas:
    """The quotas of all enterprises of one app."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        quotas = settings.quotas
        self._aliases = _Quota(quotas.aliases, "MAX_ALIASES", "aliases of one role", "Remove unused aliases")
        self.users = Meter(
            _Quota(quotas.users, "MAX_USERS", "users", "Delete unused users"), count_users, lock=lock_feed
        )
        self.stored_bytes = StoredBytes(
            app,
            _Quota(quotas.stored_bytes, "MAX_STORED_BYTES", "bytes of users", "Delete unused users"),
            largest=settings.limits.document,
        )
        self.groups = Meter(_Quota(quotas.groups, "MAX_GROUPS", "groups", "Delete unused groups"), store.count_groups)
        self.memberships = Meter(
            _Quota(quotas.memberships, "MAX_MEMBERSHIPS", "members of groups", "Remove members from groups"),
            store.sum_memberships,
        )
        self.roles = Meter(_Quota(quotas.roles, "MAX_ROLES", "roles", "Remove unused roles"), store.count_roles)
        self.integrations = Meter(
            _Quota(quotas.integrations, "MAX_INTEGRATIONS", "integrations", "Revoke unused integrations"),
            store.count_integrations,
        )
        self.tokens = Meter(
            _Quota(quotas.tokens, "MAX_TOKENS", "valid tokens", "Use each token until it expires"),
            lambda connection, enterprise_id: store.count_valid_tokens(
                connection, enterprise_id, now=clock.timestamp(clock.now())
            ),
            refuses_for=5.0,
        )
        self.webhooks = Meter(
            _Quota(quotas.webhooks, "MAX_WEBHOOKS", "webhooks", "Delete unused webhooks"), count_webhooks
        )

    def list_uses(self, connection: Connection, enterprise_id: str) -> list[QuotaUse]:
        """Return how much of each quota the enterprise uses, except aliases. This reads every user."""
        of_resources = (self.users, self.stored_bytes, self.groups, self.memberships)
        meters = (*of_resources, self.roles, self.integrations, self.tokens, self.webhooks)
        return [meter.measure(connection, enterprise_id) for meter in meters]

    def claim_aliases(self, present: int, more: int) -> None:
        """Claim ``more`` aliases for a role that has ``present``. Raises ``QuotaReached``."""
        if more and present + more > self._aliases.limit:
            raise self._aliases.reached(present)

    def claim_users(self, connection: Connection, enterprise_id: str, documents: list[str]) -> None:
        """Claim new users with these ``documents``, which were inserted. Raises ``QuotaReached``."""
        users = self.users.claim(enterprise_id, len(documents), connection=connection)
        self.stored_bytes.claim(enterprise_id, sum(map(len, documents)), users=users)

    def claim_growth(self, connection: Connection, enterprise_id: str, before: str, after: str) -> None:
        """Claim the bytes by which the document of a user grows. Raises ``QuotaReached``."""
        users = self.users.claim(enterprise_id, 0, connection=connection)
        self.stored_bytes.claim(enterprise_id, len(after) - len(before), users=users)


quotas: AppState[EnterpriseQuotas] = AppState("quotas")


def init_quotas(app: Flask, settings: Settings) -> None:
    """Measure the quotas in ``settings`` for the enterprises of ``app``."""
    quotas.init_app(app, EnterpriseQuotas(app, settings))
