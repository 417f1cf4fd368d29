"""The database keeps the IDs of the secret keys of its servers. A process without any of these keys is not ready."""

import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from flask import Flask

from scimsvc import create_app
from scimsvc.auth.signing_keys import ServedKeys
from scimsvc.auth.state import token_signer
from scimsvc.operations.readiness import why_not_ready
from scimsvc.settings import SettingsError
from scimsvc.settings.keys import key_id
from scimsvc.store.engine.transactions import reading
from scimsvc.store.signing_keys import list_signing_keys
from tests.support.apps import dispose, run_command
from tests.support.live import SCIMSVC, environment, serving
from tests.support.records import audit_of
from tests.support.types import MakeApp

OLD, NEW = (f"the {name} key of these tests and of no use elsewhere 0123456789" for name in ("old", "new"))


def start(app: Flask) -> str | None:
    """Start a server of ``app`` as far as its keys are concerned, and return why it is not ready."""
    with app.app_context():
        ServedKeys(token_signer.current).note()
        return why_not_ready()


def is_ready(app: Flask) -> bool:
    with app.app_context():
        return why_not_ready() is None


def stored(app: Flask) -> set[str]:
    with app.app_context(), reading() as connection:
        return {row.key_id for row in list_signing_keys(connection)}


def test_a_second_host_with_another_key_is_not_ready_until_its_key_is_adopted(make_app: MakeApp) -> None:
    first, second = make_app(SECRET_KEY=OLD), make_app(SECRET_KEY=NEW)

    assert start(first) is None
    reason = start(second)
    answer = second.test_client().get("/readyz")

    assert reason is not None
    assert all(part in reason for part in (key_id(OLD), key_id(NEW), "scimsvc key adopt"))
    assert (answer.status_code, answer.get_json()["reason"]) == (503, reason)
    assert (is_ready(first), stored(first)) == (True, {key_id(OLD)})
    assert run_command(second, "check")["warnings"] == [reason]
    with pytest.raises(SettingsError, match="fits the database"):
        second.test_cli_runner().invoke(args=["quickstart", "--port=0"], catch_exceptions=False)

    adopted = run_command(second, "key", "adopt", "--yes")

    assert adopted == {"key_ids": [key_id(NEW)], "previous_key_ids": [key_id(OLD)]}
    assert (is_ready(first), is_ready(second)) == (False, True)
    assert audit_of(second)[0]["after"] == {"key_ids": [key_id(NEW)]}


def test_nothing_is_adopted_without_a_confirmation(make_app: MakeApp) -> None:
    start(make_app(SECRET_KEY=OLD))
    other = make_app(SECRET_KEY=NEW)

    result = other.test_cli_runner().invoke(args=["key", "adopt"], input="n\n")

    assert (result.exit_code, stored(other)) == (1, {key_id(OLD)})


def test_a_rotation_over_several_hosts_leaves_every_host_ready(make_app: MakeApp) -> None:
    hosts = {name: make_app(SECRET_KEY=OLD) for name in ("a", "b")}
    assert [start(host) for host in hosts.values()] == [None, None]

    for keys in (f"{OLD},{NEW}", f"{NEW},{OLD}", NEW):
        for name in hosts:
            hosts[name] = make_app(SECRET_KEY=keys)
            assert start(hosts[name]) is None
            assert all(map(is_ready, hosts.values())), (keys, name)

    assert stored(hosts["a"]) == {key_id(NEW)}
    assert not is_ready(make_app(SECRET_KEY=OLD))


def test_of_two_first_servers_that_start_together_with_two_keys_one_is_ready(make_app: MakeApp) -> None:
    apps, barrier = [make_app(SECRET_KEY=OLD), make_app(SECRET_KEY=NEW)], Barrier(2)

    def start_together(app: Flask) -> None:
        barrier.wait(10)
        start(app)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(start_together, apps))

    assert sorted(map(is_ready, apps)) == [False, True]


@pytest.fixture
def lose_key(database_url: str, tmp_path: Path) -> Callable[[], Path]:
    """Serve with a key of the instance folder, and delete the key."""

    def lose() -> Path:
        app = create_app({"DATABASE_URL": database_url, "INSTANCE_PATH": str(tmp_path)})
        assert start(app) is None
        dispose(app)
        key = tmp_path / "secret_key"
        key.unlink()
        return key

    return lose


def test_no_new_key_is_created_for_a_database_with_a_key(
    lose_key: Callable[[], Path], database_url: str, tmp_path: Path
) -> None:
    key = lose_key()
    settings = environment(DATABASE_URL=database_url.replace("+psycopg", ""), INSTANCE_PATH=str(tmp_path))

    with pytest.raises(SettingsError, match=f"no secret key at {key}, .*Restore.*scimsvc key adopt"):
        create_app({"DATABASE_URL": database_url, "INSTANCE_PATH": str(tmp_path)})
    served = subprocess.run([SCIMSVC, "serve"], env=settings, capture_output=True, text=True, timeout=60)
    checked = subprocess.run([SCIMSVC, "check"], env=settings, capture_output=True, text=True, timeout=60)

    assert (served.returncode, served.stdout, served.stderr.count("\n")) == (2, "", 1)
    assert served.stderr.startswith(f"Error: There is no secret key at {key}")
    assert checked.returncode == 0
    assert "Warning: No secret key is configured here" in checked.stderr
    assert not key.exists()

    adopted = subprocess.run([SCIMSVC, "key", "adopt", "--yes"], env=settings, capture_output=True, timeout=60)

    assert adopted.returncode == 0
    assert is_ready(create_app({"DATABASE_URL": database_url, "INSTANCE_PATH": str(tmp_path)}))


@pytest.mark.slow
@pytest.mark.system
def test_a_server_notes_its_key_at_its_start_and_one_with_another_key_says_so(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/scimsvc.db"
    app = create_app({"DATABASE_URL": url, "SECRET_KEY": OLD})
    run_command(app, "init")
    assert stored(app) == set()

    with (
        serving(tmp_path / "a", command="serve", DATABASE_URL=url, SECRET_KEY=OLD) as first,
        serving(tmp_path / "b", command="serve", DATABASE_URL=url, SECRET_KEY=NEW) as second,
    ):
        assert stored(app) == {key_id(OLD)}
        assert (first.send("GET", "/readyz").status, second.send("GET", "/readyz").status) == (200, 503)
        assert second.log.count("fits the database") == 1
    dispose(app)
