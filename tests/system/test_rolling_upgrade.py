"""Two versions serve one database, while the schema is upgraded under writers.

The next version is a copy of the package with one more migration. A migration that older code can live with names it.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from scimsvc.models import SCHEMA_REVISION
from tests.support.client import patch_body, replace, user_body
from tests.support.databases import new_postgresql
from tests.support.live import PATIENCE, Live, environment, serving

pytestmark = pytest.mark.system

PACKAGE = Path(__file__).parents[2] / "scimsvc"
_MIGRATION = """\"\"\"A migration of the next version.\"\"\"

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = "{before}"
{oldest}

def upgrade() -> None:
    op.add_column("users", sa.Column("column_{revision}", sa.Text))
"""


class NextVersion:
    """A later version of the package, in a folder of its own."""

    def __init__(self, folder: Path, *, migrations: int, serves_from: str | None) -> None:
        self.folder = folder
        shutil.copytree(PACKAGE, folder / "scimsvc")  # with its compiled modules
        for number in range(migrations):
            before, revision = _later(number), _later(number + 1)
            oldest = f'oldest_code = "{serves_from}"\n' if serves_from and number + 1 == migrations else ""
            text = _MIGRATION.format(revision=revision, before=before, oldest=oldest)
            (folder / "scimsvc" / "migrations" / "versions" / f"{revision}_next.py").write_text(text)
        models = folder / "scimsvc" / "models" / "__init__.py"
        self.schema = _later(migrations)
        models.write_text(models.read_text().replace(f'"{SCHEMA_REVISION}"', f'"{self.schema}"'))

    def run(self, *words: str, **settings: Any) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "scimsvc", *words],
            env=environment(**settings) | {"PYTHONPATH": str(self.folder)},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=PATIENCE * 2,
        )

    @contextmanager
    def serving(self, folder: Path, **settings: Any) -> Iterator[Live]:
        """Serve with this version. The program of the older one finds its package first."""
        old = os.environ.get("PYTHONPATH")
        os.environ["PYTHONPATH"] = str(self.folder)
        try:
            with serving(folder, command="serve", **settings) as live:
                yield live
        finally:
            if old is None:
                del os.environ["PYTHONPATH"]
            else:
                os.environ["PYTHONPATH"] = old


def _later(number: int) -> str:
    return f"{int(SCHEMA_REVISION) + number:04}"


class Writer(threading.Thread):
    """Creates and changes users until it is stopped, and counts the statuses."""

    def __init__(self, live: Live, token: str) -> None:
        super().__init__()
        self.live, self.bearer = live, {"Authorization": f"Bearer {token}"}
        self.statuses: Counter[int] = Counter()
        self.ended = threading.Event()

    def send(self, method: str, path: str, body: Any) -> Any:
        answer = self.live.send(method, f"/api/scim/v2/Users{path}", json.dumps(body), self.bearer)
        self.statuses[answer.status] += 1
        return answer.json()

    def run(self) -> None:
        number = 0
        while not self.ended.is_set():
            number += 1
            user = self.send("POST", "", user_body(email=f"{id(self)}-{number}@contoso.example"))
            self.send("PATCH", f"/{user['id']}", patch_body(replace("title", "Lead")))

    def stop(self) -> Counter[int]:
        self.ended.set()
        self.join(PATIENCE)
        return self.statuses


def _readiness(live: Live) -> tuple[int, str]:
    time.sleep(0.6)  # an earlier result is remembered for half a second
    answer = live.send("GET", "/readyz", headers={"Authorization": ""})
    return answer.status, answer.text


@pytest.fixture
def postgresql_of_its_own(postgresql_url: str) -> Iterator[str]:  # skips without a server
    """The URL of an empty database. SQLite serves one machine, where a restart takes as long as an upgrade."""
    with new_postgresql() as url:
        yield url


@pytest.mark.postgresql
def test_two_versions_serve_one_database_and_the_older_one_starts_again(
    tmp_path: Path, postgresql_of_its_own: str
) -> None:
    settings: dict[str, Any] = {"DATABASE_URL": postgresql_of_its_own, "SECRET_KEY": "k" * 40}
    later = NextVersion(tmp_path / "next", migrations=1, serves_from=SCHEMA_REVISION)
    incompatible = NextVersion(tmp_path / "incompatible", migrations=2, serves_from=None)
    with ExitStack() as stack:
        old = stack.enter_context(serving(tmp_path / "old", **settings))
        writers = [Writer(old, old.token)]
        writers[0].start()

        upgraded = later.run("init", "--json", **settings, INSTANCE_PATH=str(tmp_path / "old" / "instance"))
        ready_old = _readiness(old)
        new = stack.enter_context(later.serving(tmp_path / "new", **settings))
        ready_new = _readiness(new)
        writers.append(Writer(new, old.token))
        writers[1].start()
        again = stack.enter_context(serving(tmp_path / "again", **settings))  # quickstart runs init first
        ready_again = _readiness(again)
        statuses = [writer.stop() for writer in writers]
        refused = incompatible.run("init", **settings, INSTANCE_PATH=str(tmp_path / "old" / "instance"))
        unready = _readiness(old)

    assert (upgraded.returncode, later.schema in upgraded.stdout) == (0, True), upgraded.stderr
    assert (ready_old[0], ready_new[0], ready_again[0]) == (200, 200, 200)
    assert [set(counts) for counts in statuses] == [{201, 200}, {201, 200}]
    assert refused.returncode == 0
    assert (unready[0], f"schema {incompatible.schema} of a later version" in unready[1]) == (503, True)
