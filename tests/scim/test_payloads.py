"""Entra's requests, in both dialects, and the RFCs' examples get the expected responses.

Each file is replayed in-process on both databases. Over HTTP, against a running server, each eighth file is replayed,
and in a long run all of them.
"""

import http.client
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from flask import Flask
from werkzeug.datastructures import Headers

from scimsvc import create_app
from scimsvc.auth.callers import Callers
from tests.support.apps import SECRET_KEY, dispose, make_enterprise, run_command
from tests.support.client import SCIM, Enterprise
from tests.support.live import serving
from tests.support.long_runs import LONG
from tests.support.replay import Answer, payload_files, payload_id, replay


@pytest.mark.requirement("R44")
@pytest.mark.parametrize("path", payload_files(), ids=payload_id)
def test_a_request_is_answered_as_its_file_says(path: Path, acme: Enterprise) -> None:
    is_entras = payload_id(path).startswith("entra/")
    agent = {} if is_entras else {"User-Agent": "Okta SCIM Client 1.0.0"}

    def send(method: str, path: str, query: dict[str, str], headers: dict[str, str], body: str | None) -> Answer:
        answer = acme.send(method, path, body, query=query, headers=agent | headers)
        # Only clients that may be Entra get its words.
        assert answer.status_code < 400 or is_entras or "Entra" not in answer.text
        return Answer(answer.status_code, answer.headers, answer.text)

    assert replay(path, acme.name, send=send, run=partial(run_command, acme.app)) > 0


@pytest.fixture(scope="module")
def live_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Flask, str]]:
    """A running ``scimsvc serve`` with a SQLite file, and an app on the same file that creates enterprises."""
    folder = tmp_path_factory.mktemp("live")
    settings = {"INSTANCE_PATH": str(folder / "instance"), "SECRET_KEY": SECRET_KEY}
    app = create_app(settings)
    app.test_cli_runner().invoke(args=["init"], catch_exceptions=False)
    with serving(folder, command="serve", SECRET_KEY=SECRET_KEY) as server:
        yield app, server.base_url
    dispose(app)


@pytest.mark.system
@pytest.mark.parametrize("path", payload_files()[:: 1 if LONG else 8], ids=payload_id)
def test_a_running_server_answers_the_same(path: Path, live_server: tuple[Flask, str]) -> None:
    app, base_url = live_server
    enterprise = make_enterprise(app, f"Acme {payload_id(path)}")
    connection = http.client.HTTPConnection(urlsplit(base_url).netloc, timeout=30)

    def send(method: str, path: str, query: dict[str, str], headers: dict[str, str], body: str | None) -> Answer:
        # Entra sends no User-Agent, and its filters form-encoded.
        target = SCIM + path + (f"?{urlencode(query)}" if query else "")
        sent = {"Authorization": f"Bearer {enterprise.token}", **headers}
        connection.request(method, target, body.encode() if body is not None else None, sent)
        answer = connection.getresponse()
        return Answer(answer.status, Headers(answer.headers.items()), answer.read().decode())

    def run(*words: str) -> Any:
        result = run_command(app, *words)
        time.sleep(1.2 * Callers.SECONDS)  # until the server notices the change by another process
        return result

    try:
        assert replay(path, enterprise.name, send=send, run=run) > 0
    finally:
        connection.close()
