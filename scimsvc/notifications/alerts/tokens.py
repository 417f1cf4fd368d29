"""SCIM tokens near their end, whose successor is not in use (Entra facts section 4)."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from scimsvc import clock
from scimsvc.notifications.alerts.conditions import Condition
from scimsvc.reports.token_expiry import is_lasting
from scimsvc.store.alert_signals import ExpiringTokenRow, UsedTokenRow, list_expiring_tokens, list_used_tokens
from scimsvc.store.engine.transactions import Connection
from scimsvc.vocabulary import AlertType

#: The days before the end of a token at which an event is due. The last one is due when it has expired.
STAGES = (30, 14, 7, 3, 1, 0)
#: How long an alert lasts after the token has expired.
_AFTER_EXPIRY = timedelta(days=7)
#: If another token was used this long after the last use of a token, it has replaced it. Entra uses a
#: token every 40 minutes, so that two tokens of two jobs are never this far apart.
_REPLACED_AFTER = timedelta(hours=2)


def find_expiring_tokens(connection: Connection, now: datetime) -> list[Condition]:
    """Return a condition for each token of all enterprises that expires soon or has expired."""
    after, before = clock.timestamp(now - _AFTER_EXPIRY), clock.timestamp(now + timedelta(days=STAGES[0]))
    rows = [row for row in list_expiring_tokens(connection, after=after, before=before) if _stage(row, now) is not None]
    used = list_used_tokens(connection, list(dict.fromkeys(row.enterprise_id for row in rows))) if rows else []
    return [_condition(row, now) for row in _without_replaced(rows, used)]


def _without_replaced(rows: Iterable[ExpiringTokenRow], used: Iterable[UsedTokenRow]) -> Iterator[ExpiringTokenRow]:
    by_enterprise: dict[str, list[UsedTokenRow]] = {}
    for each in used:
        by_enterprise.setdefault(each.enterprise_id, []).append(each)
    for row in rows:
        if not _is_replaced(row, by_enterprise.get(row.enterprise_id, ())):
            yield row


def _is_replaced(token: ExpiringTokenRow, used: Sequence[UsedTokenRow]) -> bool:
    """Return whether another token is in use in place of ``token``.

    A token that was never used does not count while the enterprise uses another one.
    """
    if token.last_used_at is None:
        return bool(used)
    since = clock.timestamp(clock.parse_timestamp(token.last_used_at) + _REPLACED_AFTER)
    others = (each for each in used if each.integration_id == token.integration_id and each.id != token.id)
    return any(each.last_used_at >= since for each in others)


def _stage(token: ExpiringTokenRow, now: datetime) -> int | None:
    """Return the lowest of ``STAGES`` that the token has reached, or None.

    A stage that the token had already reached when it was issued does not count.
    """
    expires_at = clock.parse_timestamp(token.expires_at)
    lifetime, left = expires_at - clock.parse_timestamp(token.issued_at), expires_at - now
    if not is_lasting(token.issued_at, token.expires_at):
        return None
    reached = [days for days in STAGES if left <= timedelta(days=days) < lifetime]
    return min(reached, default=None)


def _condition(token: ExpiringTokenRow, now: datetime) -> Condition:
    stage = _stage(token, now)
    assert stage is not None
    return Condition(
        enterprise_id=token.enterprise_id,
        enterprise=token.enterprise,
        type=AlertType.TOKEN_EXPIRING,
        subject=token.id,
        stage=stage,
        facts={
            "token_id": token.id,
            "token_name": token.name,
            "integration_id": token.integration_id,
            "integration": token.integration,
            "client_id": token.client_id,
            "provider": token.provider,
            "expires_at": token.expires_at,
            "days_left": stage,
            "was_used": token.last_used_at is not None,
        },
    )
