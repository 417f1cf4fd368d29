"""Only the user of the service can read the database, for every program that creates the file."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scimsvc import create_app
from scimsvc.operations.startup import why_others_can_read
from tests.support.apps import SECRET_KEY, dispose, run_command
from tests.support.live import environment, serving

FILES = ("scimsvc.db", "scimsvc.db-shm", "scimsvc.db-wal")


@pytest.fixture(autouse=True)
def _wide_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, str]:
    return {path.name: f"{path.stat().st_mode & 0o777:o}" for path in folder.iterdir()}


@pytest.mark.parametrize("url", ["sqlite:///{}/scimsvc.db", "sqlite:///file:{}/scimsvc.db?uri=true"])
def test_an_app_creates_a_private_database(tmp_path: Path, url: str) -> None:
    app = create_app({"DATABASE_URL": url.format(tmp_path), "SECRET_KEY": SECRET_KEY})

    run_command(app, "init")
    with app.app_context():
        run_command(app, "enterprise", "create", "Acme")
        found = modes(tmp_path)
    dispose(app)

    assert found == dict.fromkeys(FILES, "600")


def test_flask_creates_a_private_folder(tmp_path: Path) -> None:
    variables = environment(INSTANCE_PATH=str(tmp_path / "instance"))

    flask = [sys.executable, "-m", "flask", "--app", "wsgi:app", "init"]
    subprocess.run(flask, cwd=Path(__file__).parents[2], env=variables, check=True, capture_output=True)

    assert modes(tmp_path) == {"instance": "700"}
    assert set(modes(tmp_path / "instance").values()) == {"600"}


def test_a_database_is_not_created_where_the_url_forbids_it(tmp_path: Path) -> None:
    url = f"sqlite:///file:{tmp_path}/scimsvc.db?mode=rw&uri=true"
    app = create_app({"DATABASE_URL": url, "SECRET_KEY": SECRET_KEY})

    answer = app.test_client().get("/readyz")
    dispose(app)

    assert (answer.status_code, list(tmp_path.iterdir())) == (503, [])


def test_the_start_warns_once_of_files_that_others_can_read(tmp_path: Path) -> None:
    folder = tmp_path / "instance"
    app = create_app({"INSTANCE_PATH": str(folder)})
    run_command(app, "init")
    dispose(app)
    with app.app_context():
        assert why_others_can_read() is None
    (folder / "scimsvc.db").chmod(0o644)
    folder.chmod(0o755)

    with serving(tmp_path, command="serve") as live:
        warnings = [line for line in live.log.splitlines() if "Other users" in line]

    assert len(warnings) == 1
    assert f"Run chmod go= {folder} {folder}/scimsvc.db" in warnings[0]
    assert "secret_key" not in warnings[0]


def test_postgresql_has_no_files_here(tmp_path: Path) -> None:
    url = "postgresql://u@127.0.0.1:1/x"
    app = create_app({"DATABASE_URL": url, "INSTANCE_PATH": str(tmp_path / "i"), "SECRET_KEY": SECRET_KEY})

    with app.app_context():
        assert why_others_can_read() is None
