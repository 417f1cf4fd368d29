"""PgBouncer in transaction mode, in front of the PostgreSQL of the tests."""

import os
import pwd
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tests.support.live import PATIENCE
from tests.support.proxy import free_port, require

#: Fewer connections to PostgreSQL than writers, so that each transaction may get another one.
_POOL_SIZE = 5
_SETTINGS = """\
[databases]
* = host={host} port={server_port} user={user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {pool_size}
max_client_conn = 200
"""


@contextmanager
def pooled(url: str, folder: Path) -> Iterator[str]:
    """Run PgBouncer in front of the database at ``url``, and yield its URL. Skips the test if it is not installed."""
    require("pgbouncer")
    server, port = urlsplit(url), free_port()
    settings = folder / "pgbouncer.ini"
    settings.write_text(
        _SETTINGS.format(
            host=server.hostname, server_port=server.port or 5432, user=server.username, port=port, pool_size=_POOL_SIZE
        ),
        "utf-8",
    )
    # PgBouncer refuses to run as root.
    options = [f"--user={pwd.getpwuid(65534).pw_name}"] if os.getuid() == 0 else []
    with (folder / "pgbouncer.log").open("wb") as log:
        process = subprocess.Popen(
            ["pgbouncer", *options, str(settings)],
            stdout=log,
            stderr=log,
            env=os.environ | {"PATH": f"{os.environ['PATH']}:/usr/sbin"},
        )
    try:
        _wait(process, port, folder / "pgbouncer.log")
        yield f"postgresql://{server.username}@127.0.0.1:{port}{server.path}"
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _wait(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text("utf-8")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError("PgBouncer does not answer")
