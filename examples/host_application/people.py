"""The application's own database: its people, and the cursor of the last change that is stored."""

import sqlite3
from typing import Any

from host_application import groups

_SCHEMA = """
CREATE TABLE IF NOT EXISTS people (
    id TEXT PRIMARY KEY, email TEXT NOT NULL, name TEXT NOT NULL, title TEXT,
    role TEXT NOT NULL, active INTEGER NOT NULL, object_id TEXT
);
CREATE TABLE IF NOT EXISTS feed (cursor TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS messages (id TEXT PRIMARY KEY);
"""


def connect(path: str) -> sqlite3.Connection:
    """Open the database. ``with connection:`` is one transaction."""
    connection = sqlite3.connect(path, timeout=10)
    connection.row_factory = sqlite3.Row
    connection.executescript(_SCHEMA)
    groups.create_tables(connection)
    return connection


def list_all(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    """Return all people by e-mail address."""
    return [dict(row) for row in connection.execute("SELECT * FROM people ORDER BY email")]


def find_by_object_id(connection: sqlite3.Connection, object_id: str) -> dict[str, Any] | None:
    """Return the person with this object ID in Entra."""
    row = connection.execute("SELECT * FROM people WHERE object_id = ?", [object_id]).fetchone()
    return dict(row) if row else None


def store(connection: sqlite3.Connection, user: dict[str, Any]) -> None:
    """Insert or update the person that the enterprise API describes as ``user``."""
    connection.execute(
        "INSERT INTO people VALUES (:id, :email, :user_name, :title, :role, :active, :external_id)"
        " ON CONFLICT (id) DO UPDATE SET email = excluded.email, name = excluded.name, title = excluded.title,"
        " role = excluded.role, active = excluded.active, object_id = excluded.object_id",
        user,
    )


def remove(connection: sqlite3.Connection, user_id: str) -> None:
    """Delete the person, if the person exists."""
    connection.execute("DELETE FROM people WHERE id = ?", [user_id])


def remove_all_but(connection: sqlite3.Connection, user_ids: set[str]) -> None:
    """Delete everyone whose ID is not in ``user_ids``."""
    for row in connection.execute("SELECT id FROM people").fetchall():
        if row["id"] not in user_ids:
            remove(connection, row["id"])


def get_cursor(connection: sqlite3.Connection) -> str | None:
    """Return the cursor of the last change that is stored, or None at the first start."""
    row = connection.execute("SELECT cursor FROM feed").fetchone()
    return row["cursor"] if row else None


def set_cursor(connection: sqlite3.Connection, cursor: str) -> None:
    """Replace the cursor."""
    connection.execute("DELETE FROM feed")
    connection.execute("INSERT INTO feed VALUES (?)", [cursor])


def remember_message(connection: sqlite3.Connection, message_id: str) -> bool:
    """Store the ID of a webhook's message, and return whether it is new. The caller ends the transaction."""
    return connection.execute("INSERT OR IGNORE INTO messages VALUES (?)", [message_id]).rowcount == 1
