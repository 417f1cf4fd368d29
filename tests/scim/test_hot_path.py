"""Limits on the work of frequent requests: stable counts fail if a change doubles the work.

Counted are, for each kind of request: SQL statements and transactions, bytes answered, and function calls of Python
and C. A change that earns it lowers a bound; to raise one is a decision.
"""

import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection, Engine, event
from werkzeug.test import EnvironBuilder

from scimsvc.auth.callers import Callers
from scimsvc.extensions import db
from scimsvc.store.fast import driver
from tests.support.client import CONTENT_TYPE, SCIM, Enterprise
from tests.support.groups import store_group, store_users
from tests.support.population import change_body, user_body
from tests.support.urns import PATCH_URN
from tests.support.webhooks import make_hook

USERS = 101


@dataclass
class Work:
    """The work of a request, or its limits."""

    #: SQL statements without those that begin and end transactions.
    statements: int = 0
    transactions: int = 0
    #: Committed transactions. Each of them waits for the disk if it wrote.
    commits: int = 0
    bytes_answered: int = 0
    #: Calls of Python and C functions, from the WSGI application to the last piece of the response.
    calls: int = 0


#: For SQLite and CPython 3.11, with 10 % more calls for other versions of Python and of dependencies.
BOUNDS = {
    "get": Work(statements=1, transactions=0, commits=0, bytes_answered=960, calls=525),
    "match": Work(statements=1, transactions=0, commits=0, bytes_answered=1_090, calls=635),
    "create": Work(statements=4, transactions=1, commits=1, bytes_answered=1_000, calls=1_030),
    "patch": Work(statements=4, transactions=1, commits=1, bytes_answered=960, calls=1_060),
    "delete": Work(statements=4, transactions=1, commits=1, bytes_answered=0, calls=630),
    "list": Work(statements=2, transactions=0, commits=0, bytes_answered=97_000, calls=610),
}
#: The additional work with PostgreSQL, whose driver is partly written in Python.
POSTGRESQL_ADDS = Work(calls=290)

#: The same for groups.
GROUPS_ON_POSTGRESQL = Work(calls=570)

Request = dict[str, Any]


def _get(user: dict[str, Any], number: int) -> Request:
    return {"path": f"{SCIM}/Users/{user['id']}"}


def _match(user: dict[str, Any], number: int) -> Request:
    filter_ = f'emails[type eq "work"].value eq "{user["emails"][0]["value"]}"'
    return {"path": f"{SCIM}/Users", "query_string": {"filter": filter_}}


def _create(user: dict[str, Any], number: int) -> Request:
    return {"path": f"{SCIM}/Users", "method": "POST", "json": user_body(f"-new-{number}", "User")}


def _patch(user: dict[str, Any], number: int) -> Request:
    return {"path": f"{SCIM}/Users/{user['id']}", "method": "PATCH", "json": change_body(str(number))}


def _delete(user: dict[str, Any], number: int) -> Request:
    return {"path": f"{SCIM}/Users/{user['id']}", "method": "DELETE"}


def _list(user: dict[str, Any], number: int) -> Request:
    return {"path": f"{SCIM}/Users", "query_string": {"startIndex": "1", "count": "100"}}


REQUESTS: dict[str, Callable[[dict[str, Any], int], Request]] = {
    "get": _get,
    "match": _match,
    "create": _create,
    "patch": _patch,
    "delete": _delete,
    "list": _list,
}


@pytest.mark.parametrize("name", BOUNDS)
def test_a_request_stays_within_its_limits(app: Flask, acme: Enterprise, name: str) -> None:
    make_hook(acme, "https://hooks.example.com/")  # requests do not pay for webhooks
    users = [acme.create(**user_body(number, "User")) for number in range(USERS if name == "list" else 4)]
    requests = [REQUESTS[name](user, number) for number, user in enumerate(users[:4])]

    # The first request fills caches. The least of the others counts, because one may include work of once a minute.
    _first, *others = [_measure(app, acme.token, request) for request in requests]

    taken = {each.name: min(getattr(other, each.name) for other in others) for each in fields(Work)}
    added = POSTGRESQL_ADDS if "postgresql" in app.config["SQLALCHEMY_DATABASE_URI"] else Work()
    allowed = {what: number + getattr(added, what) for what, number in asdict(BOUNDS[name]).items()}
    assert {what: number for what, number in taken.items() if number > allowed[what]} == {}, f"{taken} of {allowed}"


#: The same for groups. A change of one member works as much in a group of thousands.
GROUP_BOUNDS = {
    "add": Work(statements=8, transactions=1, commits=1, bytes_answered=0, calls=1_170),
    "remove": Work(statements=8, transactions=1, commits=1, bytes_answered=0, calls=1_150),
    "add again": Work(statements=5, transactions=1, commits=1, bytes_answered=0, calls=970),
    "get": Work(statements=1, transactions=0, commits=0, bytes_answered=400, calls=750),
}


def _change_of(user_id: str, name: str) -> Request:
    value = [{"value": user_id}]
    op = {"op": "remove" if name == "remove" else "add", "path": "members", "value": value}
    return {"method": "PATCH", "json": {"schemas": [PATCH_URN], "Operations": [op]}}


@pytest.mark.parametrize("members", [2, 2_000])
@pytest.mark.parametrize("name", GROUP_BOUNDS)
def test_a_request_for_a_group_works_the_same_at_any_size(
    app: Flask, acme: Enterprise, name: str, members: int
) -> None:
    ids = store_users(acme, members + 4)
    group = store_group(acme, "Sales", ids[: members + (4 if name != "add" else 0)])
    others = ids[members:]
    path = f"{SCIM}/Groups/{group.id}"
    requests = [
        {"path": path, "query_string": {"excludedAttributes": "members"}}
        if name == "get"
        else {"path": path} | _change_of(each, name)
        for each in others
    ]

    _first, *measured = [_measure(app, acme.token, request) for request in requests]

    taken = {each.name: min(getattr(other, each.name) for other in measured) for each in fields(Work)}
    added = GROUPS_ON_POSTGRESQL if "postgresql" in app.config["SQLALCHEMY_DATABASE_URI"] else Work()
    allowed = {what: number + getattr(added, what) for what, number in asdict(GROUP_BOUNDS[name]).items()}
    assert {what: number for what, number in taken.items() if number > allowed[what]} == {}, f"{taken} of {allowed}"


@pytest.mark.parametrize(("name", "statements"), [("get", 0), ("match", 0), ("list", 1)])
def test_the_groups_of_users_cost_a_fifth_at_most(app: Flask, acme: Enterprise, name: str, statements: int) -> None:
    users = [acme.create(**user_body(number, "User")) for number in range(USERS if name == "list" else 4)]
    request = REQUESTS[name](users[0], 0)

    def measure() -> Work:
        return min((_measure(app, acme.token, request) for _ in range(3)), key=lambda work: work.calls)

    without = measure()
    store_group(acme, "Sales", [users[0]["id"]])
    store_group(acme, "Support", [users[0]["id"]])
    with_groups = measure()

    assert with_groups.statements == without.statements + statements
    assert with_groups.bytes_answered > without.bytes_answered
    if name != "list":
        assert with_groups.calls <= 1.2 * without.calls


def test_the_guard_sees_each_statement_and_transaction(
    app: Flask, acme: Enterprise, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = acme.create()
    request = _get(user, 0)
    _measure(app, acme.token, request)
    once = _measure(app, acme.token, request)

    as_it_is = app.wsgi_app

    def with_more(*arguments: Any) -> Any:
        with app.app_context(), db.engine.begin() as connection:
            connection.exec_driver_sql("SELECT 1")
            connection.exec_driver_sql("SELECT 2")
        return as_it_is(*arguments)

    monkeypatch.setattr(app, "wsgi_app", with_more)
    more = _measure(app, acme.token, request)

    assert (more.statements, more.transactions, more.commits) == (
        once.statements + 2,
        once.transactions + 1,
        once.commits + 1,
    )
    assert more.bytes_answered == once.bytes_answered
    assert more.calls > once.calls


@pytest.fixture(autouse=True)
def _callers_stay_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    # Callers stay cached even on a slow machine, because the limits are those of a cached caller.
    monkeypatch.setattr(Callers, "SECONDS", 3600.0)


def _measure(app: Flask, token: str, request: Request) -> Work:
    options: Any = {"content_type": CONTENT_TYPE, "headers": {"Authorization": f"Bearer {token}"}} | request
    environ = EnvironBuilder(**options).get_environ()
    environ["wsgi.input_terminated"] = True  # set by waitress too
    statuses: list[str] = []
    start: Any = lambda status, _: statuses.append(status)  # noqa: E731
    with app.app_context():
        engine = db.engine
    with _counting_statements(engine) as work, _counting_at_driver(work):
        pieces = list(_counting_calls(work, lambda: app.wsgi_app(environ, start)))
    assert statuses[0][:2] == "20", (statuses, pieces)
    work.bytes_answered = sum(map(len, pieces))
    return work


def _counting_calls(work: Work, answer: Callable[[], Any]) -> list[bytes]:
    def count(_frame: Any, what: str, _argument: Any) -> None:
        work.calls += what in ("call", "c_call")

    gc.disable()  # its finalizers are not part of the request
    sys.setprofile(count)
    try:
        pieces = answer()
        whole = list(pieces)
        getattr(pieces, "close", lambda: None)()
    finally:
        sys.setprofile(None)
        gc.enable()
    return whole


@contextmanager
def _counting_at_driver(work: Work) -> Iterator[None]:
    """Count the statements and transactions of the driver too."""
    execute, begin, commit = driver.execute, driver.begin, driver.commit

    def on_statement(connection: Connection, text: str, *arguments: Any) -> Any:
        work.statements += not text.startswith("BEGIN")
        work.calls -= 2  # this function, and startswith
        return execute(connection, text, *arguments)

    def on_begin(*arguments: Any) -> None:
        work.transactions += 1
        work.calls -= 1
        begin(*arguments)

    def on_commit(connection: Connection) -> None:
        work.commits += 1
        work.calls -= 1
        commit(connection)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(driver, "execute", on_statement)
        patch.setattr(driver, "begin", on_begin)
        patch.setattr(driver, "commit", on_commit)
        yield


@contextmanager
def _counting_statements(engine: Engine) -> Iterator[Work]:
    work = Work()

    def on_statement(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        work.statements += not statement.startswith("BEGIN")

    def on_begin(_connection: Any) -> None:
        work.transactions += 1

    def on_commit(_connection: Any) -> None:
        work.commits += 1

    listeners: dict[str, Callable[..., None]] = {
        "before_cursor_execute": on_statement,
        "begin": on_begin,
        "commit": on_commit,
    }
    for name, listener in listeners.items():
        event.listen(engine, name, listener)
    try:
        yield work
    finally:
        for name, listener in listeners.items():
            event.remove(engine, name, listener)
