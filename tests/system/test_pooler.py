"""Two servers share PostgreSQL through PgBouncer in transaction mode, as Debian ships it."""

import time
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, text

from scimsvc import create_app
from scimsvc.extensions import POSTGRESQL_LIMITS, db
from scimsvc.settings import SettingsError
from scimsvc.store.engine.transactions import reading, snapshot, writing
from tests.support.apps import SECRET_KEY, make_enterprise, run_command
from tests.support.databases import new_postgresql
from tests.support.ledger import Writer, documents, totals, writing_to
from tests.support.live import serving
from tests.support.long_runs import LONG
from tests.support.pooler import pooled
from tests.support.types import MakeApp

pytestmark = pytest.mark.system
SECONDS = 30 if LONG else 4
NO_LIMITS = dict.fromkeys(POSTGRESQL_LIMITS, "0")
LIMITS = {"statement_timeout": "30s", "lock_timeout": "10s", "idle_in_transaction_session_timeout": "1min"}


@pytest.fixture
def database_url(postgresql_url: str) -> str:
    return postgresql_url  # to skip without a server; the tests have a database of their own


def _limits(connection: Connection) -> dict[str, str]:
    return {name: connection.execute(text(f"SHOW {name}")).scalar_one() for name in POSTGRESQL_LIMITS}


def test_two_servers_behind_pgbouncer_answer_every_write_and_leave_no_state(
    database_url: str, make_app: MakeApp, tmp_path: Path
) -> None:
    with new_postgresql() as url, pooled(url, tmp_path) as pooled_url:
        settings: dict[str, Any] = {
            "DATABASE_URL": pooled_url,
            "DATABASE_POOLER": "transaction",
            "SECRET_KEY": SECRET_KEY,
        }
        app = make_app(**settings)
        run_command(app, "init")
        acme = make_enterprise(app, "Acme")
        with app.app_context():
            for begin in (reading, writing):
                with begin() as connection:
                    assert _limits(connection) == LIMITS
            with snapshot() as connection:
                assert _limits(connection) == LIMITS | {"statement_timeout": "0"}
        with (
            serving(tmp_path / "one", command="serve", **settings) as one,
            serving(tmp_path / "two", command="serve", **settings) as two,
        ):
            writers = [Writer(f"{(one, two)[number % 2].base_url}/api/scim/v2", acme.token) for number in range(8)]
            with writing_to(*writers):
                time.sleep(SECONDS)

        with psycopg.connect(url) as direct:
            stored = documents(direct.execute("SELECT document FROM users"))
            prepared = direct.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'DEALLOCATE%'"
            ).fetchone()
        with psycopg.connect(pooled_url, autocommit=True, prepare_threshold=None) as other:
            outside = {name: other.execute(f"SHOW {name}").fetchone() for name in POSTGRESQL_LIMITS}
            kept = other.execute("SELECT count(*) FROM pg_prepared_statements").fetchone()
        with app.app_context():
            assert run_command(app, "check")["sound"]
            db.engine.dispose()

    assert set(totals(writers)) <= {200, 201, 204}
    assert sum(totals(writers).values()) > 8
    assert [line for writer in writers for line in writer.disagreements(stored)] == []
    assert outside == dict.fromkeys(POSTGRESQL_LIMITS, ("0",))
    assert (prepared, kept) == ((0,), (0,))


def test_options_of_the_session_are_refused_behind_a_pooler(tmp_path: Path) -> None:
    url = "postgresql://h/d?options=-c%20statement_timeout%3D5000"

    with pytest.raises(SettingsError, match="'options', which PgBouncer refuses"):
        create_app({"DATABASE_URL": url, "DATABASE_POOLER": "transaction", "INSTANCE_PATH": str(tmp_path)})


@pytest.mark.parametrize(
    ("query", "threshold"), [("", 5), ("prepare_threshold=none", None), ("prepare_threshold=0", 0)]
)
def test_the_url_decides_when_statements_are_prepared(
    database_url: str, make_app: MakeApp, query: str, threshold: int | None
) -> None:
    app = make_app(DATABASE_URL=f"{database_url}?{query}")

    with app.app_context(), db.engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        assert driver.prepare_threshold == threshold
        assert connection.execute(text("SELECT 1")).scalar_one() == 1
