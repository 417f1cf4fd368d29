"""The databases of a run: created for it, filled with a population, and deleted at its end.

The service's functions create its rows, which are inserted into its tables in batches.
"""

import json
import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from flask import Flask
from sqlalchemy import Text, bindparam, cast, insert, select, update

from scimsvc import clock, create_app
from scimsvc.auth.grants import TokenRequest, issue_token
from scimsvc.auth.state import token_signer
from scimsvc.enterprises.enterprises import create_enterprise
from scimsvc.extensions import db
from scimsvc.models import Change, Feed, Role, Searchable, User
from scimsvc.protocol.attributes import Resource
from scimsvc.protocol.json_text import write_json
from scimsvc.protocol.reading.leniency import read_resource
from scimsvc.protocol.reading.tolerances import RequestNotes
from scimsvc.protocol.resources import canonical_resource
from scimsvc.protocol.users import USERS
from scimsvc.store.engine.transactions import writing
from scimsvc.store.representations import StoredUser, View, directory_values, represent, user_columns
from scimsvc.vocabulary import CREATED, PROVISIONED, SCIM_SCOPE
from tests.benchmark import floor
from tests.support.population import DEFAULT_ROLE, ROLES, Population, email, role, user_body, user_id

KEY = "a key for benchmarks alone and of no use elsewhere 0123456789"
POSTGRESQL_URL = os.environ.get("SCIMSVC_TEST_POSTGRESQL_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
_BATCH = 1_000


@dataclass(frozen=True)
class Place:
    """The databases of the service and the floor."""

    folder: Path
    service_url: str
    #: The path of a SQLite file, or the URL of a PostgreSQL database.
    floor_database: str


@dataclass(frozen=True)
class Seeded:
    """Values that the client needs of the enterprises, in order, and the size of a user on disk."""

    service_tokens: list[str]
    floor_tokens: list[str]
    service_bytes_per_user: float
    floor_bytes_per_user: float


@contextmanager
def place(database: str, folder: Path) -> Iterator[Place]:
    """Create the databases for one population in ``database`` (sqlite or postgresql)."""
    folder.mkdir()
    if database == "sqlite":
        yield Place(folder, f"sqlite:///{folder / 'service.db'}", str(folder / "floor.db"))
        return
    name = f"scimsvc_benchmark_{secrets.token_hex(6)}"
    with psycopg.connect(POSTGRESQL_URL, autocommit=True, connect_timeout=3) as server:
        server.execute(f'CREATE DATABASE "{name}"')
        url = POSTGRESQL_URL.rpartition("/")[0] + "/" + name
        try:
            yield Place(folder, url, url)
        finally:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def seed(where: Place, population: Population) -> Seeded:
    """Fill both databases with the same users."""
    app = create_app({"DATABASE_URL": where.service_url, "SECRET_KEY": KEY, "INSTANCE_PATH": str(where.folder)})
    with app.app_context():
        try:
            _initialize(app)
            made = [_make_enterprise(app, number) for number in range(population.enterprises)]
            with closing(floor.connect(where.floor_database)) as documents:
                for text in floor.SCHEMA:
                    documents.execute(text.format(key='TEXT COLLATE "C"' if _is_postgresql(where) else "TEXT"))
                for number, enterprise in enumerate(made):
                    _insert_users(population.members(number), enterprise, documents, where)
                    _insert_last_change(population.members(number), enterprise)
        finally:
            db.engine.dispose()
    sizes = _sizes(where)
    return Seeded(
        [each.token for each in made],
        [floor.issue_token(KEY, each.id) for each in made],
        *(size / population.users for size in sizes),
    )


@dataclass(frozen=True)
class _Enterprise:
    id: str
    token: str
    role_ids: dict[str, str]


def _initialize(app: Flask) -> None:
    result = app.test_cli_runner().invoke(args=["init"], catch_exceptions=False)
    assert result.exit_code == 0, result.output


def _make_enterprise(app: Flask, number: int) -> _Enterprise:
    made = create_enterprise(
        f"Enterprise {number}", roles=list(ROLES), default_role=DEFAULT_ROLE, scim_enabled=True
    )["id"]  # fmt: skip
    token = issue_token(made, TokenRequest(SCIM_SCOPE, days=7), signer=token_signer.of(app))
    with db.engine.connect() as connection:
        rows = connection.execute(select(Role.name, Role.id).where(Role.enterprise_id == made))
        return _Enterprise(made, token["access_token"], {row.name: row.id for row in rows})


def _insert_users(users: range, enterprise: _Enterprise, documents: Any, where: Place) -> None:
    view = View("http://127.0.0.1:8000/api/scim/v2", DEFAULT_ROLE, 1)
    search: Any = bindparam("search_text", type_=Text())
    insert_users = insert(User).values(search=cast(search, Searchable) if _is_postgresql(where) else search)
    insert_document = floor.statement(floor.INSERT, where.floor_database)
    now = datetime.now(UTC)
    for start in range(0, len(users), _BATCH):
        batch = users[start : start + _BATCH]
        at = clock.timestamp(now + timedelta(milliseconds=start))
        rows = [user_row(user, enterprise.id, enterprise.role_ids, at) for user in batch]
        with writing() as connection:
            connection.execute(
                insert_users,
                [{"search_text" if name == "search" else name: value for name, value in row.items()} for row in rows],
            )
        texts = [
            (
                enterprise.id,
                row["id"],
                email(user),
                represent(_stored_user(row), view).text,
            )
            for user, row in zip(batch, rows, strict=True)
        ]
        cursor = documents.cursor()
        documents.execute("BEGIN")
        cursor.executemany(insert_document, texts)
        documents.execute("COMMIT")


def _stored_user(row: dict[str, Any]) -> StoredUser:
    """Return the columns of ``row`` that a response needs. None of the users has a role from a group."""
    values: dict[str, Any] = {name: row.get(name) for name in StoredUser._fields}
    return StoredUser(**values)


def _insert_last_change(users: range, enterprise: _Enterprise) -> None:
    """Add only the newest entry of the feed, numbered by the enterprise's users. Earlier entries are omitted."""
    last = users[-1]
    change = {
        "enterprise_id": enterprise.id,
        "number": len(users),
        "time": clock.timestamp(datetime.now(UTC)),
        "type": CREATED,
        "user_id": user_id(last),
        "email": email(last),
        "changed": "[]",
        "role": role(last) or DEFAULT_ROLE,
        "old_role": None,
        "active": True,
        "old_active": None,
        "users": len(users),
    }
    with writing() as connection:
        connection.execute(insert(Change), change)
        end = {name: change[name] for name in ("number", "users")}
        connection.execute(update(Feed).where(Feed.enterprise_id == change["enterprise_id"]).values(end))


def user_row(user: int, enterprise_id: str, role_ids: dict[str, str], at: str) -> dict[str, Any]:
    """Return the row that the service stores for a user that Entra creates. ``search`` is JSON text."""
    name = role(user)
    follows: dict[str, Any] = json.loads(_TEMPLATES[name].replace(_ID, user_id(user)).replace(_NUMBER, str(user)))
    return {
        "enterprise_id": enterprise_id,
        "id": user_id(user),
        "source": PROVISIONED,
        "version": 1,
        "created_at": at,
        "modified_at": at,
        **follows,
        "role_id": role_ids[name] if name else None,
    }


def read_as_created(user: int | str, name: str | None) -> Resource:
    """Return the service's canonical user for Entra's body."""
    return canonical_resource(
        read_resource(user_body(user, name), USERS, RequestNotes()) | {"id": ""}, USERS, RequestNotes()
    )


def columns_as_created(user: int | str, identifier: str, name: str | None) -> dict[str, Any]:
    """Return the service's columns for Entra's body."""
    document = read_as_created(user, name) | {"id": identifier}
    title, organization = directory_values(document)
    columns = user_columns(document, USERS, role_id=None, unique_user_name=False)
    return columns | {"search": write_json(columns["search"]), "title": title, "organization": organization}


#: Documents and columns for each role, with these placeholders for the number and ID of the user, because parsing a
#: million bodies and writing a million documents would take minutes.
_NUMBER, _ID = "8888888888888", "99999999-9999-4999-8999-999999999999"
_TEMPLATES = {name: json.dumps(columns_as_created(_NUMBER, _ID, name)) for name in (None, *ROLES)}


def _is_postgresql(where: Place) -> bool:
    return not floor.is_sqlite(where.floor_database)


def _sizes(where: Place) -> tuple[int, int]:
    """Return the bytes on disk of the service's users and the floor's, with their indexes."""
    if _is_postgresql(where):
        with psycopg.connect(where.floor_database, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
            query = "SELECT pg_total_relation_size('users'), pg_total_relation_size('documents')"
            row = connection.execute(query).fetchone()
            assert row is not None
            return row
    return _file_size(where.folder / "service.db"), _file_size(where.folder / "floor.db")


def _file_size(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path.stat().st_size
