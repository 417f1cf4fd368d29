"""The state of every enterprise, for operators: users, errors, the last request, the next expiry, trouble first.

Errors are those of ``LOOK_BACK``, because Entra repeats every refused request at least once a day. The overview of an
enterprise also shows older ones of other providers.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from scimsvc import clock
from scimsvc.auth.expiry import TELL_WITHIN, WARN_WITHIN
from scimsvc.enterprises.removal_limit import count_removals
from scimsvc.protocol.attributes import fold
from scimsvc.protocol.reasons import Reason
from scimsvc.reports.causes import is_on_hold
from scimsvc.reports.open_refusals import OpenCheck
from scimsvc.reports.token_expiry import find_expiring, is_lasting
from scimsvc.store.engine.transactions import Connection, reading
from scimsvc.store.enterprise_states import (
    RefusalRow,
    ValidToken,
    list_all_clients,
    list_all_open_refusals,
    list_all_valid_scim_tokens,
    list_known_names,
    list_last_uses,
    list_silent_enterprises,
    list_user_counts,
)
from scimsvc.store.enterprises import EnterpriseRow, list_enterprises

LOOK_BACK = timedelta(days=2)
#: Refusals and role values that are looked at.
_MOST_REFUSALS, _MOST_NAMES = 20_000, 500

#: The states, those with trouble first, and the tone of each.
TONES = {
    "token expired": "bad",
    "token expires": "bad",
    "silent": "bad",
    "errors": "bad",
    "removal limit": "warn",
    "paused": "warn",
    "on hold": "warn",
    "token expires soon": "warn",
    "suspended": "warn",
    "ok": "good",
    "not connected": "plain",
    "off": "plain",
}
_RANKS = {state: rank for rank, state in enumerate(TONES)}


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterpriseState:
    """An enterprise on the page of operators."""

    id: str
    name: str
    users: int
    errors: int
    on_hold: int
    last_request: str | None
    #: The expiry of the token in use, or else of the last one. None without a token that a person must renew.
    expires_at: str | None
    #: All that applies, the worst first.
    states: Sequence[str]

    @property
    def tone(self) -> str:
        """The tone of the worst state."""
        return TONES[self.states[0]]


def list_enterprise_states() -> list[EnterpriseState]:
    """Return the state of every enterprise, those with trouble first."""
    now = clock.now()
    with reading() as connection:
        enterprises = list_enterprises(connection)
        refusals = _open_refusals(connection, {row.id: row for row in enterprises}, now)
        facts = _Facts(
            now,
            {row.enterprise_id: row.users for row in list_user_counts(connection)},
            {row.enterprise_id: row.time for row in list_last_uses(connection) if row.time is not None},
            _by_enterprise(list_all_valid_scim_tokens(connection, now=clock.timestamp(now))),
            list_silent_enterprises(connection),
        )
        states = [_state(connection, row, refusals.get(row.id, []), facts) for row in enterprises]
    return sorted(states, key=lambda state: (_RANKS[state.states[0]], -state.errors, fold(state.name)))


@dataclass(frozen=True, slots=True)
class _Facts:
    """Facts by enterprise."""

    now: datetime
    users: Mapping[str, int]
    last_uses: Mapping[str, str]
    tokens: Mapping[str, Sequence[ValidToken]]
    #: The enterprises whose provider is silent, by their alerts.
    silent: Collection[str]


def _by_enterprise(tokens: Iterable[ValidToken]) -> dict[str, list[ValidToken]]:
    grouped: dict[str, list[ValidToken]] = defaultdict(list)
    for token in tokens:
        grouped[token.enterprise_id].append(token)
    return grouped


def _open_refusals(
    connection: Connection, enterprises: Mapping[str, EnterpriseRow], now: datetime
) -> dict[str, list[RefusalRow]]:
    """Return the open refusals of each enterprise whose cause is not gone."""
    rows = list_all_open_refusals(connection, since=now - LOOK_BACK, limit=_MOST_REFUSALS)
    grouped: dict[str, list[RefusalRow]] = defaultdict(list)
    if not rows:
        return grouped
    values = {row.role_key for row in rows if row.role_key is not None}
    known = list_known_names(connection, sorted(values)[:_MOST_NAMES])
    for row in sorted(rows, key=lambda row: row.id, reverse=True):
        if not _is_fixed(row, enterprises[row.enterprise_id], known):
            grouped[row.enterprise_id].append(row)
    clients = defaultdict(list)
    for client in list_all_clients(connection):
        clients[client.enterprise_id].append(client.use)
    return {each: OpenCheck(clients[each], (), (), now).still_open(of_one) for each, of_one in grouped.items()}


def _is_fixed(row: RefusalRow, enterprise: EnterpriseRow, known: set[tuple[str, str]]) -> bool:
    if row.cause == Reason.UNKNOWN_ROLE:
        return (row.enterprise_id, row.role_key or "") in known
    is_gone: dict[str | None, bool] = {
        Reason.PAUSED: not enterprise.paused,
        Reason.SCIM_OFF: enterprise.scim_enabled,
        Reason.SUSPENDED: enterprise.suspension is None,
        Reason.USER_NAME_TAKEN: not enterprise.unique_user_name,
        Reason.GROUP_NAME_TAKEN: not enterprise.unique_group_name,
        Reason.UNKNOWN_ATTRIBUTE: not enterprise.reject_unknown_attributes,
    }
    return is_gone.get(row.cause, False)


def _state(
    connection: Connection, row: EnterpriseRow, refusals: Sequence[RefusalRow], facts: _Facts
) -> EnterpriseState:
    on_hold = sum(is_on_hold(each.cause, each.status) for each in refusals)
    errors = len(refusals) - on_hold
    tokens = facts.tokens.get(row.id, ())
    expiring = find_expiring([token for token in tokens if is_lasting(token.issued_at, token.expires_at)])
    last_request = facts.last_uses.get(row.id)
    left = clock.parse_timestamp(expiring.expires_at) - facts.now if expiring is not None else None
    is_limited = any(each.cause == Reason.REMOVAL_LIMIT for each in refusals) and _is_limit_reached(connection, row)
    applies = {
        "token expired": bool(row.scim_enabled and not tokens and last_request),
        "token expires": left is not None and left <= WARN_WITHIN,
        "silent": row.id in facts.silent,
        "errors": errors > 0,
        "removal limit": is_limited,
        "paused": row.paused,
        "on hold": on_hold > 0 and not is_limited and not row.paused,
        "token expires soon": left is not None and WARN_WITHIN < left <= TELL_WITHIN,
    }
    return EnterpriseState(
        id=row.id,
        name=row.name,
        users=facts.users.get(row.id, 0),
        errors=errors,
        on_hold=on_hold,
        last_request=last_request,
        expires_at=expiring.expires_at if expiring is not None else None,
        states=_states(row, [state for state, holds in applies.items() if holds], last_request),
    )


def _states(row: EnterpriseRow, applying: list[str], last_request: str | None) -> list[str]:
    if row.suspension is not None:
        return ["suspended"]
    if not row.scim_enabled:
        return ["off"]
    if last_request is None and "errors" not in applying:  # a token that waits for its first use needs no attention
        return ["paused"] if row.paused else ["not connected"]
    return applying or ["ok"]


def _is_limit_reached(connection: Connection, row: EnterpriseRow) -> bool:
    removals = count_removals(connection, row)
    return removals is not None and removals.is_limit_reached
