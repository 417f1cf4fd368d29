"""Work that takes the database long, for tests of deadlines."""

import uuid

from sqlalchemy import Connection, insert, literal, select, text

from scimsvc.models import User
from scimsvc.store.engine.transactions import writing
from tests.support.client import Enterprise

#: SELECTs that need no rows, by dialect.
ENDLESS = {
    "sqlite": "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c",
    "postgresql": "SELECT pg_sleep(3600)",
}

#: A filter that reads all elements of each user 33 times: some seconds of work for ``LARGE_USERS``.
EXPENSIVE = " or ".join(f'(userName pr and ims[value co "x{n}"])' for n in range(33))


LARGE_USERS = 200


def add_large_users(enterprise: Enterprise) -> None:
    """Add users with 500 elements each. Only the first is created by a request, to save time."""
    ims = [{"value": f"{n} value of an element", "display": f"{n} display"} for n in range(500)]
    first = enterprise.create(ims=ims)
    names = User.__table__.columns.keys()
    with enterprise.app.app_context(), writing() as connection:
        for number in range(1, LARGE_USERS):
            other = {"id": str(uuid.UUID(int=number)), "email_key": f"{number}@contoso.example"}
            columns = [literal(other[name]).label(name) if name in other else getattr(User, name) for name in names]
            connection.execute(insert(User).from_select(names, select(*columns).where(User.id == first["id"])))


def work_forever(connection: Connection) -> None:
    """Let the database work without an end."""
    connection.execute(text(ENDLESS[connection.dialect.name]))
