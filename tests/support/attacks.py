"""A running service with an attacker, who has an enterprise, and a bystander, who has another one.

The attacker has everything that a tenant has: a SCIM token, an API token and a signed-in administrator of the console.
"""

import json
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from stat import S_ISREG
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from sqlalchemy import text

from scimsvc import clock
from scimsvc.extensions import db
from scimsvc.models import LogEntry, User
from scimsvc.store.log import first_id
from tests.support.apps import SECRET_KEY, make_api, make_enterprise
from tests.support.bystander import PAUSE, Report, watching
from tests.support.client import MEDIA_TYPE, SCIM, Enterprise, patch_body, user_body
from tests.support.console import Console, make_admin
from tests.support.cpu import crowd
from tests.support.live import Live, environment, serving

#: Bounds of the harm that an attack may do to others: seconds on two free cores, and bytes that the process keeps.
LONGEST_WAIT = 1.0
MOST_KEPT = 30 * 2**20
#: Seconds after an attack in which the process returns memory to the system.
SETTLED_WITHIN = 9.0

#: The attacker's address. It differs from the bystander's, because one address cannot be protected from itself.
ATTACKER = "127.0.0.66"
#: Seconds that the attacker waits for an answer. A busy machine hashes passwords slowly, one after another.
PATIENCE = 120.0


@dataclass(frozen=True)
class Reply:
    """A response to the attacker. The status is 0 if the connection broke or the response took too long."""

    status: int
    content: bytes
    seconds: float
    headers: dict[str, str] = field(default_factory=dict)

    def json(self) -> Any:
        return json.loads(self.content)


@dataclass
class Harm:
    """The effects of an attack on the bystander and on the process, compared with the time before it."""

    report: Report
    #: Bytes of memory that the process kept afterwards, and the most that it used during the attack.
    kept: int = 0
    peak: int = 0

    def __str__(self) -> str:
        slowest = ", ".join(f"{kind} {seconds:.2f} s" for kind, seconds in self.report.slowest.items())
        return f"slowest {slowest}; {len(self.report.failures)} failures; {self.kept / 2**20:+.0f} MiB, at most {self.peak / 2**20:+.0f} MiB; crowd {crowd():.1f}"


@dataclass(frozen=True)
class Arena:
    """The service, its process and the two enterprises."""

    app: Flask
    live: Live
    attacker: Enterprise
    bystander: Enterprise
    api_token: str
    #: The cookie and the CSRF token of the attacker's administrator.
    cookie: str
    csrf_token: str

    @property
    def environment(self) -> dict[str, str]:
        """The environment of commands on the service's database."""
        return environment(DATABASE_URL=_database_url(self.app), SECRET_KEY=SECRET_KEY)

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
        *,
        address: str = ATTACKER,
    ) -> Reply:
        """Send a request over a new connection from the attacker's ``address``. The headers hold the credentials."""
        url, begin = urlsplit(self.live.base_url), time.monotonic()
        connection = HTTPConnection(str(url.hostname), url.port, timeout=PATIENCE, source_address=(address, 0))
        content = body if isinstance(body, bytes | str | None) else json.dumps(body)
        try:
            connection.request(method, path, content, headers or {})
            response = connection.getresponse()
            read = response.read()
        except (OSError, HTTPException) as error:
            return Reply(0, repr(error).encode(), time.monotonic() - begin)
        finally:
            connection.close()
        return Reply(response.status, read, time.monotonic() - begin, dict(response.getheaders()))

    def scim(self, method: str, path: str, body: Any = None) -> Reply:
        """Send a SCIM request of the attacker's enterprise."""
        headers = {"Authorization": f"Bearer {self.attacker.token}", "Content-Type": MEDIA_TYPE}
        return self.send(method, SCIM + path, body, headers)

    def api(self, method: str, path: str, body: Any = None) -> Reply:
        """Send a request to the attacker's enterprise API."""
        headers = {"Authorization": f"Bearer {self.api_token}", "Content-Type": "application/json"}
        return self.send(method, "/api/v1" + path, body, headers)

    def console(self, path: str) -> Reply:
        """Get a page of the attacker's enterprise in the console."""
        return self.send("GET", self.console_path(path), None, {"Cookie": self.cookie})

    def console_path(self, path: str) -> str:
        return f"/console/enterprises/{self.attacker.made['id']}{path}"

    def connect(self, *, buffer: int | None = None, address: str = ATTACKER) -> socket.socket:
        """Return a connection from the attacker's ``address``, by choice with a small receive ``buffer``."""
        url = urlsplit(self.live.base_url)
        connection = socket.socket()
        if buffer is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        connection.settimeout(PATIENCE)
        connection.bind((address, 0))
        connection.connect((str(url.hostname), int(url.port or 80)))
        return connection

    def head(self, method: str, path: str, *headers: str) -> bytes:
        """Return the head of a request of the attacker, with the SCIM token and the cookie."""
        credentials = (f"Authorization: Bearer {self.attacker.token}", f"Cookie: {self.cookie}")
        return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: x", *credentials, *headers, "", ""]).encode()

    def execute(self, statement: str, **parameters: Any) -> None:
        """Change the attacker's rows in the database directly, because requests would take too long."""
        with self.app.app_context(), db.engine.begin() as connection:
            connection.execute(text(statement), {"enterprise": self.attacker.made["id"], **parameters})

    @contextmanager
    def watched(self, *, settle: float = 0.3, pause: float = PAUSE) -> Iterator[Harm]:
        """Let the bystander work while the block attacks. Fill in the harm at the end."""
        with watching(self.live.base_url, self.bystander.token, pause=pause) as report:
            time.sleep(settle)
            pid = self.live.process.pid
            before = resident(pid)
            Path(f"/proc/{pid}/clear_refs").write_text("5", "ascii")  # the peak begins again
            harm = Harm(report)
            yield harm
            harm.peak = resident(pid, "VmHWM") - before
            deadline = time.monotonic() + SETTLED_WITHIN
            while (kept := resident(pid) - before) > MOST_KEPT and time.monotonic() < deadline:
                time.sleep(0.2)
            harm.kept = kept


def assert_harmless(harm: Harm, *, longest: float = LONGEST_WAIT, most: int = MOST_KEPT) -> None:
    """Assert that the bystander got every answer in time, and that the process did not keep much memory."""
    print(harm)  # pytest shows it with -rP
    assert not harm.report.failures, (str(harm), harm.report.failures[:5])
    assert min(harm.report.counts.values()) > 1, harm.report.counts
    assert max(harm.report.slowest.values()) <= longest * crowd(), str(harm)
    assert harm.kept <= most, str(harm)


@contextmanager
def arena(app: Flask, folder: Path, **settings: Any) -> Iterator[Arena]:
    """Serve the database of ``app`` with an attacker and a bystander in it."""
    attacker, bystander = make_enterprise(app, "Attacker"), make_enterprise(app, "Bystander")
    cookie, csrf_token = _sign_in(app)
    api_token = make_api(attacker).token
    with app.app_context():
        db.engine.dispose()
    with serving(folder, command="serve", DATABASE_URL=_database_url(app), SECRET_KEY=SECRET_KEY, **settings) as live:
        yield Arena(app, live, attacker, bystander, api_token, cookie, csrf_token)
        assert "Traceback" not in live.log, live.log[-3000:]


def _database_url(app: Flask) -> str:
    return str(app.config["SQLALCHEMY_DATABASE_URI"]).replace("postgresql+psycopg", "postgresql")


def _sign_in(app: Flask) -> tuple[str, str]:
    """Return the cookie and the CSRF token of a new administrator of the attacker's enterprise."""
    console = Console(app, make_admin(app, "admin@attacker.example", "Attacker"))
    answer = console.send("GET", "/console/account")
    assert answer.status_code == 200
    page = answer.text.partition('name="csrf_token" value="')[2].partition('"')[0]
    again = console.send("GET", "/console/account")  # has the cookie that the first answer set
    return again.request.headers["Cookie"], page


def at_once(number: int, send: Callable[[int], Reply]) -> list[Reply]:
    """Call ``send`` with each number in a thread of its own, and return the replies."""
    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(send, range(number)))


def statuses(replies: list[Reply]) -> dict[int, int]:
    """Return the number of replies with each status."""
    counts: dict[int, int] = {}
    for reply in replies:
        counts[reply.status] = counts.get(reply.status, 0) + 1
    return counts


def assert_answered(replies: list[Reply], *allowed: int) -> None:
    """Assert that each reply has one of the ``allowed`` statuses. An error must say what to do."""
    for reply in replies:
        assert reply.status in allowed, (reply.status, reply.content[:300], reply.seconds)
        if reply.status in (429, 503):
            assert int(reply.headers["Retry-After"]) > 0


def resident(pid: int, which: str = "VmRSS") -> int:
    """Return the bytes of memory that the process uses, or the most that it used (``VmHWM``)."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    return int(status.partition(f"{which}:")[2].split()[0]) * 1024


def spooled(pid: int) -> int:
    """Return the bytes of the process's temporary files, which have no name."""
    sizes = 0
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            state = each.stat()
            sizes += state.st_size if S_ISREG(state.st_mode) and state.st_nlink == 0 else 0
    return sizes


_COPY = """
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :rows)
INSERT INTO {table} ({names})
SELECT {values} FROM {table} CROSS JOIN numbers WHERE enterprise_id = :enterprise
"""
#: The number of a copy.
_NUMBER = "CAST(100000000000 + n AS TEXT)"


def _copy(arena: Arena, table: Any, rows: int, changed: dict[str, str], **parameters: Any) -> None:
    """Copy the attacker's only row of ``table``. The expressions ``changed`` replace columns."""
    names = [column.name for column in table.columns]
    values = [changed.get(name, name) for name in names]
    statement = _COPY.format(table=table.name, names=", ".join(names), values=", ".join(values))
    arena.execute(statement, rows=rows, **parameters)


def fill_log(arena: Arena, entries: int, *, at: datetime | None = None) -> None:
    """Copy the only entry of the attacker's log, a refusal, ``entries`` times, by choice to the time ``at``."""
    assert arena.scim("POST", "/Users", user_body("x@attacker.example", roles=["none"])).status == 400
    changed = {"id": f"{':begin' if at else 'substr(id, 1, 12)'} || {_NUMBER}"}
    if at is not None:
        changed["time"] = ":time"
    parameters = {"begin": first_id(at), "time": clock.timestamp(at)} if at else {}
    _copy(arena, LogEntry.__table__, entries, changed, **parameters)


def copy_user(arena: Arena, users: int) -> None:
    """Copy the attacker's only user, x@attacker.example, ``users`` times, with other IDs and work addresses."""
    changed = {
        "id": f"substr(id, 1, 24) || {_NUMBER}",
        "email_key": f"{_NUMBER} || email_key",
        "document": f"replace(document, 'x@attacker', {_NUMBER} || 'x@attacker')",
    }
    _copy(arena, User.__table__, users, changed)


def largest_user(arena: Arena) -> str:
    """Create the largest user that the service accepts, in requests below 1 MiB, and return its ID."""
    text_, user_id = "x" * 250_000, ""
    created = arena.scim("POST", "/Users", user_body("large@attacker.example"))
    assert created.status == 201, created.content
    user_id = created.json()["id"]
    elements = [{"value": f"{number}", "display": "y" * 1_800} for number in range(500)]
    for attribute in ("ims", "photos", "entitlements", "phoneNumbers"):
        for size in (500, 250, 120, 60):
            body = patch_body({"op": "add", "path": attribute, "value": elements[:size]})
            if arena.scim("PATCH", f"/Users/{user_id}", body).status == 200:
                break
    for attribute in ("title", "nickName"):
        with suppress(AssertionError):
            arena.scim("PATCH", f"/Users/{user_id}", patch_body({"op": "add", "path": attribute, "value": text_}))
    return str(user_id)
