"""A PostgreSQL cluster for one test, which may kill it. initdb creates it, on a free port."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest


class Cluster:
    """A cluster in ``folder``. PostgreSQL requires a user other than root."""

    def __init__(self, folder: Path, binaries: Path) -> None:
        self.folder = folder
        self._binaries = binaries
        self._owner = _owner()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        if self._owner:
            shutil.chown(folder, self._owner)

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def make(self) -> None:
        self._run("initdb", "--username=postgres", "--auth=trust", "--no-sync", "--encoding=UTF8")
        with (self.folder / "cluster" / "postgresql.conf").open("a") as settings:
            settings.write(
                f"port = {self.port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\n"
                "deadlock_timeout = 100ms\nshared_buffers = 16MB\n"
            )

    def start(self) -> None:
        self._run("pg_ctl", "start", "--wait", f"--log={self.folder}/log")

    def kill(self) -> None:
        """Kill every process of the cluster, like a crash: without informing clients or writing anything."""
        self._run("pg_ctl", "stop", "--mode=immediate")

    def restart(self) -> None:
        self._run("pg_ctl", "restart", "--wait", "--mode=fast", f"--log={self.folder}/log")

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Stop every process of the cluster for the block. The kernel still accepts connections and bytes for them."""
        pids = self._pids()
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    @contextmanager
    def without_standby(self) -> Iterator[None]:
        """Let each commit wait for a standby that does not exist, for the block."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET synchronous_standby_names = 'lost'")
            connection.execute("SELECT pg_reload_conf()")
            try:
                deadline = time.monotonic() + 30
                while not _commits_wait(self.url):  # the server reads the setting a little later
                    assert time.monotonic() < deadline
                yield
            finally:
                connection.execute("ALTER SYSTEM RESET synchronous_standby_names")
                connection.execute("SELECT pg_reload_conf()")

    def _pids(self) -> list[int]:
        """Return the main process of the cluster and its children."""
        main = int((self.folder / "cluster" / "postmaster.pid").read_text().split()[0])
        parents = {}
        for status in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):  # the process ended
                parents[int(status.parent.name)] = int(status.read_text().rpartition(")")[2].split()[1])
        return [main, *(pid for pid, parent in parents.items() if parent == main)]

    def _run(self, program: str, *options: str) -> None:
        done = subprocess.run(
            [self._binaries / program, f"--pgdata={self.folder}/cluster", *options],
            user=self._owner,
            cwd=self.folder,
            stdout=subprocess.DEVNULL,  # the server keeps it open
            stderr=subprocess.PIPE if program == "initdb" else subprocess.DEVNULL,
            timeout=60,
        )
        assert done.returncode == 0, (program, done.stderr)


def _commits_wait(url: str) -> bool:
    """Return whether a commit still waits after a moment. It is canceled then, which the server reports in a notice."""
    notices: list[psycopg.errors.Diagnostic] = []
    with psycopg.connect(url, autocommit=True) as connection:
        connection.add_notice_handler(notices.append)
        timer = threading.Timer(0.1, connection.cancel)
        timer.start()
        with suppress(psycopg.errors.QueryCanceled):
            connection.execute("SELECT pg_logical_emit_message(true, 'test', '')")
        timer.cancel()
        timer.join()
    return bool(notices)


def _owner() -> str | None:
    if os.geteuid() != 0:
        return None
    names = {each.pw_name for each in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


@contextmanager
def own_cluster() -> Iterator[Cluster]:
    """Create and start a cluster, and remove it at the end. Skips the test if PostgreSQL's programs are missing."""
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not binaries:
        if os.environ.get("CI") == "true":
            pytest.fail("CI kills a PostgreSQL cluster of its own, and initdb is missing")
        pytest.skip("no initdb in /usr/lib/postgresql/*/bin")
    folder = Path(tempfile.mkdtemp(prefix="scimsvc-cluster-"))
    cluster = Cluster(folder, binaries[-1].parent)
    try:
        cluster.make()
        cluster.start()
        with psycopg.connect(cluster.url):
            pass
        yield cluster
    finally:
        if (folder / "cluster" / "postmaster.pid").exists():
            cluster.kill()
        shutil.rmtree(folder)
