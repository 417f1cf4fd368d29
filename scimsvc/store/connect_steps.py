"""The steps of the connection at the identity provider that an administrator ticked."""

from typing import NamedTuple

from sqlalchemy import bindparam, select, update

from scimsvc.models import Enterprise
from scimsvc.store.engine.statements import Query, Write
from scimsvc.store.engine.transactions import Connection


class _Steps(NamedTuple):
    connect_steps: str | None


_ID = bindparam("enterprise_id", type_=Enterprise.id.type)
_FIND = Query(select(Enterprise.connect_steps).where(Enterprise.id == _ID), _Steps)
_UPDATE = Write(update(Enterprise).where(Enterprise.id == _ID).values(connect_steps=bindparam("new_connect_steps")))


def list_connect_steps(connection: Connection, enterprise_id: str) -> list[str]:
    """Return the ticked steps."""
    return (_FIND.one(connection, {"enterprise_id": enterprise_id}).connect_steps or "").split()


def update_connect_steps(connection: Connection, enterprise_id: str, steps: list[str]) -> None:
    """Replace the ticked steps."""
    _UPDATE.run(connection, {"enterprise_id": enterprise_id, "new_connect_steps": " ".join(steps) or None})
