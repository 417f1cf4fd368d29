"""The request log of a running service: one line for each request, without secrets or forged lines."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.client import CONTENT_TYPE, user_body
from tests.support.live import Live, serving
from tests.support.urns import ERROR_URN

pytestmark = pytest.mark.system

USERS = "/api/scim/v2/Users"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
LINE = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (?P<method>[A-Z?]+) (?P<path>[!-~]+) "
    r"(?P<status>\d{3}) \d+(\.\d)?ms request_id=(?P<request_id>[^ ]+)(?P<rest>( [a-z]+=(\"([^\"\\]|\\.)*\"|[^ \"]+))*)"
)


@pytest.fixture(scope="module")
def in_text(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with serving(tmp_path_factory.mktemp("text")) as live:
        yield live


@pytest.fixture(scope="module")
def in_json(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with serving(tmp_path_factory.mktemp("json"), LOG_FORMAT="json") as live:
        yield live


@pytest.fixture(params=["in_text", "in_json"])
def live(request: pytest.FixtureRequest) -> Live:
    live: Live = request.getfixturevalue(request.param)
    return live


def logged(live: Live, *arguments: Any, **options: Any) -> str:
    """Send a request and return its line of the log, without a line for the audit log before it."""
    before = len(live.log)
    live.send(*arguments, **options)
    added = live.log[before:]
    assert added.endswith("\n")
    *audited, line = added.splitlines()
    assert [each for each in audited if "audit" not in json.loads(each)] == []
    return line


def entry_of(line: str) -> dict[str, Any]:
    """Return the members that text and JSON share."""
    if line.startswith("{"):
        return {name: str(value) for name, value in json.loads(line).items()}
    found = LINE.fullmatch(line)
    assert found, line
    return found.groupdict()


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    [
        ("GET", "/healthz", None, {}, "200"),
        ("GET", "/nowhere", None, {}, "404"),
        ("GET", USERS, None, {}, "200"),
        ("GET", USERS, None, {"Authorization": ""}, "401"),
        ("GET", f"{USERS}/nobody", None, {}, "404"),
        ("PUT", USERS, "{}", {"Content-Type": CONTENT_TYPE}, "405"),
        ("POST", USERS, "{", {"Content-Type": CONTENT_TYPE}, "400"),
        ("POST", USERS, "{}", {"Content-Type": "text/plain"}, "415"),
        ("POST", USERS, " " * 1_100_000, {"Content-Type": CONTENT_TYPE}, "413"),
        ("POST", "/api/authenticate", "grant_type=x", FORM, "400"),
    ],
)
def test_each_request_is_one_line(
    live: Live, method: str, path: str, body: str | None, headers: dict[str, str], status: str
) -> None:
    entry = entry_of(logged(live, method, path, body, headers))

    assert (entry["method"], entry["path"], entry["status"]) == (method, path, status)


def test_a_line_of_text_names_the_caller_and_the_tolerances(in_text: Live) -> None:
    body = json.dumps(user_body("text@contoso.example", active="True", bogus=1))

    line = logged(in_text, "POST", USERS, body, {"Content-Type": CONTENT_TYPE})

    assert f' enterprise="My Enterprise" integration={in_text.result["client_id"]} ' in line
    assert " tolerances=" in line
    assert line.endswith(" ignored=bogus")
    assert entry_of(line)["status"] == "201"


def test_a_line_of_json_is_one_object(in_json: Live) -> None:
    body = json.dumps(user_body("json@contoso.example", active="True", bogus=1))

    entry = json.loads(logged(in_json, "POST", USERS, body, {"Content-Type": CONTENT_TYPE, "X-Request-ID": "r-1"}))

    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", entry.pop("time"))
    assert 0 < entry.pop("ms") < 20_000
    assert len(entry.pop("tolerances")) == 1
    assert all(entry.pop(name) for name in ("address", "bytes", "host", "process", "route"))
    assert entry == {
        "level": "info",
        "method": "POST",
        "path": USERS,
        "status": 201,
        "request_id": "r-1",
        "enterprise": "My Enterprise",
        "integration": in_json.result["client_id"],
        "ignored": ["bogus"],
    }
    assert [line for line in in_json.log.splitlines() if not isinstance(json.loads(line), dict)] == []


@pytest.mark.requirement("R50")
@pytest.mark.parametrize(
    "path",
    [
        f"{USERS}?filter=userName%20eq%20%22hunter2%22",
        f"{USERS}?hunter=1&filter=hunter2&hunter2",
        f"{USERS}?access_token=scimsvc_hunter2",
        f"{USERS}?scimsvc_hunter2.hunter2",
        f"{USERS}/scimsvc_hunter2.hunter2-hunter2_hunter2",
        f"{USERS}/scimsvc_cs_hunter2",
        f"{USERS}/%73cimsvc%5Fhunter2%2Ehunter2",
        f"{USERS}/hunter@contoso.example?count=1&attributes=hunter2",
    ],
)
def test_query_values_tokens_and_secrets_in_a_url_are_not_logged(live: Live, path: str) -> None:
    line = logged(live, "GET", path)

    assert "hunter2" not in line.replace("&hunter2", "")  # only the name of the parameter is logged
    assert entry_of(line)["path"].startswith(USERS)


@pytest.mark.requirement("R26", "R49")
@pytest.mark.parametrize(
    ("method", "path", "body", "headers"),
    [
        ("GET", USERS, None, {"Authorization": "Bearer scimsvc_hunter2"}),
        ("GET", USERS, None, {"Authorization": "Basic hunter2"}),
        ("GET", USERS, None, {"Authorization": "hunter2"}),
        ("GET", USERS, None, {"Cookie": "session=hunter2", "Referer": "hunter2", "User-Agent": "hunter2"}),
        ("POST", "/api/authenticate", "grant_type=client_credentials&client_id=a&client_secret=hunter2", FORM),
        ("POST", "/api/authenticate", "grant_type=hunter2&client_secret=hunter2", FORM),
        ("POST", "/api/revoke", "token=hunter2&client_id=a&client_secret=hunter2", FORM),
        ("POST", USERS, json.dumps(user_body("hunter2@contoso.example", emails=[])), {"Content-Type": CONTENT_TYPE}),
        ("POST", USERS, json.dumps(user_body("hunter2")), {"Content-Type": CONTENT_TYPE}),
        ("POST", USERS, json.dumps(user_body("a@contoso.example", password="hunter2", roles=["hunter2"])), {"Content-Type": CONTENT_TYPE}),
    ],
)  # fmt: skip
def test_values_of_headers_and_bodies_are_not_logged(
    live: Live, method: str, path: str, body: str | None, headers: dict[str, str]
) -> None:
    line = logged(live, method, path, body, headers)

    assert "hunter2" not in line
    assert int(entry_of(line)["status"]) >= (200 if "Cookie" in headers else 400)


@pytest.mark.requirement("R49")
def test_the_token_and_the_secret_of_the_service_are_never_logged(live: Live) -> None:
    secret = live.result["client_secret"]
    form = f"grant_type=client_credentials&client_id={live.result['client_id']}&client_secret={secret}"

    line = logged(live, "POST", "/api/authenticate", form, FORM)

    assert entry_of(line)["status"] == "200"
    title = b"".join(Path(f"/proc/{live.process.pid}/{name}").read_bytes() for name in ("cmdline", "comm")).decode()
    key = (live.folder / "instance" / "secret_key").read_text("utf-8").strip()
    for kept in (live.token, secret, key):
        assert kept not in live.log
        assert kept not in title


@pytest.mark.parametrize(
    "sent", ["r", "0af7651916cd43dd8448eb211c80319c", "a.b:c/d+e=f@g-h_i", "x" * 128], ids=lambda sent: sent[:20]
)
def test_a_well_formed_request_id_is_answered_and_logged(live: Live, sent: str) -> None:
    answer = live.send("GET", USERS, headers={"X-Request-ID": sent})

    assert answer.headers["X-Request-Id"] == sent
    assert entry_of(live.log.splitlines()[-1])["request_id"] == sent


@pytest.mark.parametrize("sent", ["", "two words", "x" * 129, "a;b", 'a"b', "a\tb", "ä", "a,b"], ids=ascii)
def test_a_request_id_that_is_not_well_formed_is_replaced(live: Live, sent: str) -> None:
    answer = live.send("GET", USERS, headers={"X-Request-ID": sent})

    made = answer.headers["X-Request-Id"]
    assert re.fullmatch(r"[0-9a-f]{16,}", made)
    assert entry_of(live.log.splitlines()[-1])["request_id"] == made


def test_each_request_without_an_id_gets_a_new_one(live: Live) -> None:
    answers = [live.send("GET", path) for path in (USERS, USERS, f"{USERS}/nobody", "/nowhere", "/healthz")]

    made = [answer.headers["X-Request-Id"] for answer in answers]
    assert len(set(made)) == 5
    assert [entry_of(line)["request_id"] for line in live.log.splitlines()[-5:]] == made
    assert answers[2].json()["schemas"] == [ERROR_URN]


FORGED = "2026-01-01T00:00:00.000Z GET /forged 200 1ms"


@pytest.mark.requirement("R49")
@pytest.mark.parametrize("separator", ["\n", "\r\n", "\r", "\v", "\f", "\x1b[2K", "\x85", "\u2028", "\x00"], ids=ascii)
def test_no_control_character_gets_into_the_log(live: Live, separator: str) -> None:
    name = f"a{separator}{FORGED}"
    quoted = "".join(f"%{byte:02x}" for byte in name.encode())
    body = json.dumps({name: "x"} | user_body(f"{len(live.log)}@contoso.example"))

    lines = [
        logged(live, "GET", f"{USERS}/{quoted}"),
        logged(live, "GET", f"/{quoted}"),
        logged(live, "GET", f"{USERS}?{quoted}=1"),
        logged(live, "POST", USERS, body, {"Content-Type": CONTENT_TYPE}),
    ]

    for line in lines:
        assert line.isascii()
        assert line.isprintable()
        assert entry_of(line)["method"] in ("GET", "POST")


@pytest.mark.parametrize("method", ["BREW", "M-SEARCH", "X" * 300])
def test_a_strange_method_is_one_line_too(live: Live, method: str) -> None:
    entry = entry_of(logged(live, method, USERS))

    assert (entry["method"], entry["status"]) == (method if method.isalpha() else "?", "405")


@pytest.mark.parametrize(
    "head",
    [
        f"GET {USERS} HTTP/1.1\r\nHost: x\r\nX-Request-ID: a\x1b[2K\r\n\r\n",
        f"G\x1b[2KET {USERS} HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
    ids=ascii,
)
def test_bytes_that_are_not_http_are_refused_and_not_logged(live: Live, head: str) -> None:
    before = live.log

    connection = live.connect()
    connection.connect()
    connection.sock.sendall(head.encode())
    answered = connection.sock.recv(100)
    connection.close()

    assert answered.startswith(b"HTTP/1.0 400 ")
    left = live.log.removeprefix(before)
    assert left.count("\n") == 1
    assert "malformed request answered with 400 Bad Request" in left
    assert "\x1b" not in left


def test_a_long_path_is_cut(live: Live) -> None:
    assert len(entry_of(logged(live, "GET", f"/{'x' * 5000}"))["path"]) == 500


def test_a_line_of_json_says_where_a_request_came_from_and_went(in_json: Live) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    traced = json.loads(logged(in_json, "GET", f"{USERS}/nobody", headers={"traceparent": trace}))
    forged = json.loads(logged(in_json, "GET", "/nowhere", headers={"traceparent": 'x" y'}))

    assert (traced["route"], traced["traceparent"]) == (f"{USERS}/<path:user_id>", trace)
    assert (traced["address"], traced["process"]) == ("127.0.0.1", in_json.process.pid)
    assert traced["host"]
    assert traced["bytes"] > 100
    assert (forged["route"], "traceparent" in forged) == (None, False)
