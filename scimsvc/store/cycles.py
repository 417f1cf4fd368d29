"""The cycles of identity providers: bursts of SCIM requests of one integration.

A pause of ``CYCLE_GAP`` begins a new cycle. Entra sends a burst about every 40 minutes. Other providers send requests
only after changes in the directory.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, bindparam, case, exists, func, or_, select, text, update
from sqlalchemy.orm import InstrumentedAttribute, aliased

from scimsvc import clock
from scimsvc.models import Integration, ProviderCycle
from scimsvc.store.engine.statements import Query, Write
from scimsvc.store.engine.transactions import Connection

#: The pause between two requests after which a new cycle begins.
CYCLE_GAP = timedelta(minutes=10)


class CycleRow(NamedTuple):
    """A cycle of the identity provider that uses an integration."""

    enterprise_id: str
    integration_id: str
    #: The name of the integration.
    integration: str
    #: None for an integration that names no provider.
    provider: str | None
    started_at: str
    ended_at: str


_ENTERPRISE_ID = bindparam("enterprise_id", type_=ProviderCycle.enterprise_id.type)
_INTEGRATION_ID = bindparam("integration_id", type_=ProviderCycle.integration_id.type)
_OF_THIS = and_(ProviderCycle.enterprise_id == _ENTERPRISE_ID, ProviderCycle.integration_id == _INTEGRATION_ID)
_Newer = aliased(ProviderCycle)
_NEWEST_START = (
    select(func.max(_Newer.started_at))
    .where(
        _Newer.enterprise_id == Integration.enterprise_id,
        _Newer.integration_id == Integration.id,
    )
    .correlate(Integration)
    .scalar_subquery()
)
_CYCLES = (
    select(
        ProviderCycle.enterprise_id,
        ProviderCycle.integration_id,
        Integration.name.label("integration"),
        Integration.provider,
        ProviderCycle.started_at,
        ProviderCycle.ended_at,
    )
    .join(
        Integration,
        and_(Integration.enterprise_id == ProviderCycle.enterprise_id, Integration.id == ProviderCycle.integration_id),
    )
    .where(Integration.revoked_at.is_(None))
    .order_by(ProviderCycle.enterprise_id, ProviderCycle.integration_id, ProviderCycle.started_at)
)
CYCLES_OF_ENTERPRISE = Query(
    _CYCLES.where(
        ProviderCycle.enterprise_id == _ENTERPRISE_ID,
        or_(ProviderCycle.started_at >= bindparam("since"), ProviderCycle.started_at == _NEWEST_START),
    ),
    CycleRow,
)


def _newest(column: InstrumentedAttribute[str]) -> ColumnElement[str]:
    """Return ``column`` of the newest cycle of the integration. A join would read all cycles on SQLite."""
    of_integration = (
        ProviderCycle.enterprise_id == Integration.enterprise_id,
        ProviderCycle.integration_id == Integration.id,
    )
    newest = select(column).where(*of_integration).order_by(ProviderCycle.started_at.desc()).limit(1)
    return newest.correlate(Integration).scalar_subquery().label(column.key)


NEWEST_CYCLES = Query(
    select(
        Integration.enterprise_id,
        Integration.id.label("integration_id"),
        Integration.name.label("integration"),
        Integration.provider,
        _newest(ProviderCycle.started_at),
        _newest(ProviderCycle.ended_at),
    ).where(
        Integration.revoked_at.is_(None),
        exists().where(
            ProviderCycle.enterprise_id == Integration.enterprise_id, ProviderCycle.integration_id == Integration.id
        ),
    ),
    CycleRow,
)

_LAST_AT = bindparam("last_at", type_=ProviderCycle.ended_at.type)
_CONTINUE = Write(
    update(ProviderCycle)
    .where(
        _OF_THIS,
        ProviderCycle.started_at
        == select(func.max(_Newer.started_at))
        .where(_Newer.enterprise_id == _ENTERPRISE_ID, _Newer.integration_id == _INTEGRATION_ID)
        .scalar_subquery(),
        ProviderCycle.ended_at > bindparam("earliest"),
    )
    .values(ended_at=case((ProviderCycle.ended_at < _LAST_AT, _LAST_AT), else_=ProviderCycle.ended_at)),
    columns=(),
)
#: Inserts nothing if the integration was deleted since the request, or another process inserted the same cycle.
_BEGIN = Write(
    text(
        "INSERT INTO provider_cycles (enterprise_id, integration_id, started_at, ended_at) "
        "SELECT enterprise_id, id, :first_at, :last_at FROM integrations "
        "WHERE enterprise_id = :enterprise_id AND id = :integration_id ON CONFLICT DO NOTHING"
    )
)


def note_requests(
    connection: Connection, enterprise_id: str, integration_id: str, *, first_at: datetime, last_at: datetime
) -> None:
    """Note that the integration sent SCIM requests from ``first_at`` to ``last_at``.

    They continue its newest cycle, or begin a new one after a pause of ``CYCLE_GAP``.
    """
    key = {"enterprise_id": enterprise_id, "integration_id": integration_id, "last_at": clock.timestamp(last_at)}
    if not _CONTINUE.run(connection, key | {"earliest": clock.timestamp(first_at - CYCLE_GAP)}):
        _BEGIN.run(connection, key | {"first_at": clock.timestamp(first_at)})


def list_cycles(connection: Connection, enterprise_id: str, *, since: datetime) -> list[CycleRow]:
    """Return the cycles of the enterprise since ``since``, and the newest one of each integration, in their order.

    Revoked integrations are left out. The cycles of one integration follow each other.
    """
    return CYCLES_OF_ENTERPRISE.all(connection, {"enterprise_id": enterprise_id, "since": clock.timestamp(since)})


def list_newest_cycles(connection: Connection) -> list[CycleRow]:
    """Return the newest cycle of each integration of all enterprises that is not revoked."""
    return NEWEST_CYCLES.all(connection)
