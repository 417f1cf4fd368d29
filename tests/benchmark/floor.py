"""The floor: the minimum cost of a request, in Flask on waitress, with the database's own driver.

``python -m tests.benchmark.floor`` serves it. Each workload has an endpoint that checks a signed token, runs one raw
statement on a stored document, and writes one line to the access log. It has no settings, roles, filters, validation,
log entries or change entries. A PATCH contains the whole document, and stores it.
"""

import argparse
import json
import logging
import signal
import sqlite3
import sys
import threading
import time
import uuid
from collections.abc import Sequence
from typing import Any, NoReturn

from flask import Flask, Response, request
from itsdangerous import URLSafeSerializer
from waitress.server import create_server

from scimsvc.protocol.limits import DEFAULTS

#: The arguments that ``scimsvc serve`` passes to waitress, too. A test compares them.
WAITRESS: dict[str, Any] = {
    "ident": None,
    "connection_limit": 1000,
    "channel_timeout": 60,
    "send_bytes": 18000,
    "channel_request_lookahead": 0,
    "max_request_header_size": DEFAULTS.headers,
    "max_request_body_size": 16 * DEFAULTS.body,
    "clear_untrusted_proxy_headers": False,
}
SCHEMA = (
    "CREATE TABLE documents (enterprise_id {key}, id {key}, email {key}, document TEXT, PRIMARY KEY (enterprise_id, id))",
    "CREATE UNIQUE INDEX documents_email ON documents (enterprise_id, email)",
)
INSERT = "INSERT INTO documents VALUES (?, ?, ?, ?)"
_GET = "SELECT document FROM documents WHERE enterprise_id = ? AND id = ?"
_MATCH = "SELECT document FROM documents WHERE enterprise_id = ? AND email = ?"
_UPDATE = "UPDATE documents SET document = ? WHERE enterprise_id = ? AND id = ?"
_DELETE = "DELETE FROM documents WHERE enterprise_id = ? AND id = ?"
_LIST = "SELECT document FROM documents WHERE enterprise_id = ? AND id > ? ORDER BY id LIMIT 100"

MEDIA_TYPE = "application/scim+json"


def is_sqlite(database: str) -> bool:
    """Return whether ``database`` is the path of a file and not a URL of PostgreSQL."""
    return "://" not in database


def connect(database: str) -> Any:
    """Return a connection that runs each statement as a separate durable transaction."""
    if not is_sqlite(database):
        import psycopg

        return psycopg.connect(database, autocommit=True)
    connection = sqlite3.connect(database, timeout=10, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def statement(text: str, database: str) -> str:
    """Return ``text`` with the placeholders of the driver."""
    return text if is_sqlite(database) else text.replace("?", "%s")


def issue_token(key: str, enterprise_id: str) -> str:
    """Return a token for an enterprise."""
    return str(URLSafeSerializer(key).dumps([enterprise_id, int(time.time()) + 7 * 24 * 3600]))


def make_app(database: str, key: str) -> Flask:
    """Return the application on ``database`` (a path, or a URL of PostgreSQL)."""
    app = Flask(__name__, static_folder=None)
    serializer = URLSafeSerializer(key)
    own = threading.local()
    get, match, insert, update, delete, page = (
        statement(text, database) for text in (_GET, _MATCH, INSERT, _UPDATE, _DELETE, _LIST)
    )

    def execute(text: str, parameters: Sequence[str]) -> Any:
        if not hasattr(own, "connection"):
            own.connection = connect(database)
        return own.connection.execute(text, parameters)

    def caller() -> str:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        enterprise_id, expires_at = serializer.loads(token)
        if scheme != "Bearer" or expires_at < time.time():
            raise ValueError(scheme)
        return str(enterprise_id)

    def answer(text: str, status: int = 200, **headers: str) -> Response:
        sys.stderr.write(f"{time.time():.3f} {request.method} {request.path} {status}\n")
        return Response(text, status, headers, mimetype=MEDIA_TYPE)

    @app.get("/users/<user_id>")
    def get_user(user_id: str) -> Response:
        ((document,),) = execute(get, (caller(), user_id)).fetchall()
        return answer(document)

    @app.get("/match")
    def match_user() -> Response:
        return answer(_joined(execute(match, (caller(), request.args["email"])).fetchall()))

    @app.get("/list")
    def list_users() -> Response:
        return answer(_joined(execute(page, (caller(), request.args.get("after", ""))).fetchall()))

    @app.post("/users")
    def create_user() -> Response:
        enterprise_id, user = caller(), json.loads(request.get_data())
        user["id"] = str(uuid.uuid4())
        document = json.dumps(user)
        execute(insert, (enterprise_id, user["id"], user["emails"][0]["value"], document))
        return answer(document, 201, Location=f"/users/{user['id']}")

    @app.patch("/users/<user_id>")
    def patch_user(user_id: str) -> Response:
        document = request.get_data(as_text=True)
        changed = execute(update, (document, caller(), user_id)).rowcount
        return answer(document, 200 if changed == 1 else 404)

    @app.delete("/users/<user_id>")
    def delete_user(user_id: str) -> Response:
        return answer("", 204 if execute(delete, (caller(), user_id)).rowcount == 1 else 404)

    return app


def _joined(rows: list[tuple[str]]) -> str:
    return f'{{"itemsPerPage":{len(rows)},"Resources":[{",".join([document for (document,) in rows])}]}}'


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmark.floor", description=__doc__)
    parser.add_argument("--database", required=True, help="path of a SQLite file, or URL of a PostgreSQL database")
    parser.add_argument("--key", required=True, help="key that tokens are signed with")
    parser.add_argument("--threads", type=int, required=True)
    options = parser.parse_args(arguments)

    def stop(*_: object) -> NoReturn:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, stop)
    logging.basicConfig(level=logging.WARNING)
    app = make_app(options.database, options.key)
    server: Any = create_server(app, host="127.0.0.1", port=0, threads=options.threads, **WAITRESS)
    print(f"serving on http://127.0.0.1:{server.effective_port}", file=sys.stderr, flush=True)
    server.run()


if __name__ == "__main__":
    main()
