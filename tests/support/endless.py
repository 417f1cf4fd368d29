"""Work that takes the database hours, for tests of deadlines."""

from sqlalchemy import Connection, text

#: SELECTs that need no rows, by dialect.
ENDLESS = {
    "sqlite": "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c",
    "postgresql": "SELECT pg_sleep(3600)",
}


def work_forever(connection: Connection) -> None:
    """Let the database work without an end."""
    connection.execute(text(ENDLESS[connection.dialect.name]))
