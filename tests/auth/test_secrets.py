"""Secrets are compared in constant time, and never stored in a usable form."""

import ast
import re
import statistics
import time
from pathlib import Path

import pytest
from sqlalchemy import event

from scimsvc import create_app
from scimsvc.extensions import db
from tests.support.apps import SECRET_KEY, dispose, make_api, make_enterprise
from tests.support.attempts import forget_attempts
from tests.support.client import Enterprise

PACKAGE = Path(__file__).parents[2] / "scimsvc"


@pytest.mark.requirement("R19")
def test_an_unknown_client_takes_as_long_as_a_wrong_secret(acme: Enterprise) -> None:
    app, known = acme.app, acme.made["client_id"]
    unknown = known[:-1] + ("0" if known[-1] != "0" else "1")
    statements: list[str] = []

    def ask(client_id: str) -> float:
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": "wrong"}
        forget_attempts(app)
        begin = time.thread_time()  # processor time, because other work may keep the machine busy
        answer = app.test_client().post("/api/authenticate", data=form, buffered=False)
        took = time.thread_time() - begin
        assert answer.status_code == 401
        answer.close()  # a wrong secret is logged after the response
        return took

    with app.app_context():
        engine = db.engine
    for client_id in [known] * 30:  # until the limit of log entries per hour is reached
        ask(client_id)
    event.listen(engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    asked = {}
    for client_id in (known, unknown):
        statements.clear()
        ask(client_id)
        asked[client_id] = statements[:1]
    ratios = []
    for _ in range(5):
        times = [(ask(known), ask(unknown)) for _ in range(100)]
        medians = [statistics.median(column) for column in zip(*times, strict=True)]
        ratios.append(max(medians) / min(medians))
        if ratios[-1] < 1.1:
            break

    assert asked[known] == asked[unknown]
    assert min(ratios) < 1.1, ratios


@pytest.mark.requirement("R31")
def test_secrets_are_compared_only_in_constant_time() -> None:
    named = re.compile(r"(?<!max_)(?<!min_)(?:secret|token|digest|signature|password)s?$", re.IGNORECASE)
    found = []
    for path in set(PACKAGE.rglob("*.py")) - set((PACKAGE / "store").iterdir()):  # here the database compares
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Compare) and any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops):
                sides = [node.left, *node.comparators]
                names = [side.attr if isinstance(side, ast.Attribute) else getattr(side, "id", "") for side in sides]
                # A new password is compared with its repetition and the current one. The sender knows all of them.
                is_sent = not {"repeated", "current"}.isdisjoint(names)
                if any(named.search(name) for name in names) and not is_sent:
                    found.append(f"{path.name}:{node.lineno}")

    assert found == []
    assert "compare_digest" in (PACKAGE / "auth" / "clients.py").read_text("utf-8")


@pytest.mark.requirement("R34")
def test_the_file_holds_no_secret_that_could_be_used(tmp_path: Path, sqlite_template: Path) -> None:
    path = tmp_path / "scimsvc.db"
    path.write_bytes(sqlite_template.read_bytes())
    app = create_app({"DATABASE_URL": f"sqlite:///{path}", "INSTANCE_PATH": str(tmp_path), "SECRET_KEY": SECRET_KEY})
    acme = make_enterprise(app, "Acme")
    api = make_api(acme)
    acme.create(password="a password of the directory")
    secrets = [acme.made["client_secret"], acme.token, api.token, SECRET_KEY, "a password of the directory"]
    dispose(app)

    content = b"".join(each.read_bytes() for each in tmp_path.iterdir())

    assert acme.made["client_id"].encode() in content
    for secret in secrets:
        assert secret.encode() not in content
        assert secret.rpartition(".")[2].encode() not in content
