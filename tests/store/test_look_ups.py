"""Look-ups that would read a whole table but for their index: SQLite has to be told of it."""

from typing import Any

import pytest
from flask import Flask

from scimsvc.extensions import db
from scimsvc.store import feed, log_reports, profiles, roles, users

OWN = {
    "enterprise_id": "e",
    "id": "i",
    "user_id": "i",
    "key": "k",
    "default_role": "d",
    "limit": 10,
    "since": "0",
    "until": "g",
}


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        pytest.param(log_reports.OPEN_REFUSALS.statement, "log_refused", id="open refusals"),
        pytest.param(log_reports.REFUSED_FOR_ROLE.statement, "log_refused", id="refusals for a role"),
        pytest.param(feed.EDITS.statement, "changes_by_hand", id="edits of a user"),
        pytest.param(users.DISABLED_USERS.statement, "users_active", id="disabled users"),
        pytest.param(roles.USERS_BY_ROLE.statement, "users_role", id="users by role"),
        pytest.param(profiles.PROFILE.statement, "users_email", id="one user"),
        pytest.param(
            log_reports.HOURS.statement, "PRIMARY KEY (enterprise_id=? AND id>? AND id<?)", id="hours of the log"
        ),
    ],
)
def test_sqlite_looks_it_up_in_the_index(app: Flask, statement: Any, index: str) -> None:
    with app.app_context(), db.engine.connect() as connection:
        if connection.dialect.name != "sqlite":
            pytest.skip("PostgreSQL knows the sizes and decides by them")
        compiled = statement.compile(dialect=connection.dialect)
        values = tuple(OWN.get(name, 10) for name in compiled.positiontup)

        plan = [row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", values)]

    assert any(index in step for step in plan), plan
    assert not any(step.startswith("SCAN") and "recent" not in step for step in plan), plan
