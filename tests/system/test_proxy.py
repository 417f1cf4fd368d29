"""The service behind nginx with TLS and the configuration of ``deploy/`` (requirements R56, R57, R58)."""

import http.client
import json
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import pytest

from tests.support.client import MEDIA_TYPE, patch_body, replace, user_body
from tests.support.cpu import crowd
from tests.support.live import Answer
from tests.support.proxy import NAME, SITE, Proxied, behind_nginx
from tests.support.urns import ERROR_URN

pytestmark = pytest.mark.system

USERS = "/api/scim/v2/Users"
SPOOFED = {
    "X-Forwarded-For": "6.6.6.6",
    "X-Forwarded-Proto": "gopher",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Prefix": "/evil",
    "X-Forwarded-Port": "6",
    "X-Original-URL": "/evil",
    "Forwarded": "host=evil.example;proto=http",
    "X-Request-ID": "evil",
}


@pytest.fixture(scope="module")
def proxied() -> Iterator[Proxied]:
    """The service behind nginx with the site of deploy/, without a public URL, so that the headers decide."""
    with behind_nginx(SITE.read_text(), TRUSTED_PROXIES="1") as proxied:
        yield proxied


def life_cycle(proxied: Proxied, public_url: str, prefix: str = "", headers: dict[str, str] | None = None) -> None:
    """Create, read, find, change, replace and delete a user. Every location must be public."""

    def send(method: str, path: str, body: Any = None) -> Answer:
        answer = proxied.send(method, prefix + path, body, headers)
        assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-ID"])
        assert answer.headers["Strict-Transport-Security"].startswith("max-age=")
        return answer

    created = send("POST", USERS, user_body("one@contoso.example"))
    user = created.json()
    path = f"{USERS}/{user['id']}"
    location = public_url + path
    assert (created.status, created.headers["Location"], user["meta"]["location"]) == (201, location, location)
    assert send("GET", path).json() == user
    found = send("GET", USERS + "?filter=emails%5Btype%20eq%20%22work%22%5D.value%20eq%20%22one@contoso.example%22")
    assert found.json()["Resources"] == [user]
    patched = send("PATCH", path, patch_body(replace("title", "Lead")))
    assert (patched.status, patched.headers["Content-Location"]) == (200, location)
    replaced = send("PUT", path, user_body("one@contoso.example", userName="Other"))
    assert (replaced.status, replaced.headers["Content-Location"]) == (200, location)
    assert send("DELETE", path).status == 204
    assert send("GET", path).status == 404


@pytest.mark.requirement("R58")
def test_a_life_cycle_has_public_locations(proxied: Proxied) -> None:
    life_cycle(proxied, f"https://{NAME}")


@pytest.mark.requirement("R58")
def test_proxy_headers_of_a_client_are_ignored(proxied: Proxied) -> None:
    life_cycle(proxied, f"https://{NAME}", headers=SPOOFED)
    assert "evil" not in proxied.log


@pytest.mark.slow
@pytest.mark.requirement("R58")
def test_the_service_trusts_a_proxy_only_if_a_setting_says_so() -> None:
    with behind_nginx(SITE.read_text()) as proxied:
        created = proxied.send("POST", USERS, user_body("one@contoso.example"))
        past_nginx = proxied.send_directly("GET", USERS, SPOOFED)

    path = f"{USERS}/{created.json()['id']}"
    assert created.headers["Location"] == f"http://{NAME}{path}"  # the headers of nginx are not trusted
    assert past_nginx.json()["Resources"][0]["meta"]["location"] == f"http://inside{path}"


@pytest.mark.slow
def test_a_public_url_wins_over_every_header() -> None:
    public_url = "https://public.example/scim"
    with behind_nginx(SITE.read_text(), TRUSTED_PROXIES="1", PUBLIC_URL=public_url) as proxied:
        life_cycle(proxied, public_url, headers=SPOOFED)


@pytest.mark.slow
def test_under_a_path_prefix() -> None:
    root = "    location / {\n        proxy_pass http://scimsvc;\n    }\n"
    site = SITE.read_text()
    assert root in site
    with behind_nginx(site.replace(root, "").replace("#prefix ", ""), TRUSTED_PROXIES="1") as proxied:
        life_cycle(proxied, f"https://{NAME}/provisioning", "/provisioning", SPOOFED)
        outside = proxied.send("GET", USERS)

    assert outside.status == 404


def test_a_request_has_one_id_from_nginx_s_log_to_the_service_s(proxied: Proxied) -> None:
    answer = proxied.send("GET", f"{USERS}?filter=title%20eq%20%22nobody's%22")

    request_id = answer.headers["X-Request-ID"]
    assert answer.status == 200
    assert f"request_id={request_id}" in proxied.live.log
    deadline = time.monotonic() + 5
    while f"request_id={request_id}" not in proxied.log:  # nginx writes it after the answer
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert "nobody" not in proxied.log  # a query can contain personal data
    assert proxied.token not in proxied.log


def test_doubled_slashes_and_escapes_reach_the_service_unchanged(proxied: Proxied) -> None:
    for path in ("/api/scim/v2//Users", "//api/scim/v2/Users/", "/api/scim/v2/%55sers"):
        assert proxied.send("GET", path).status == 200
    for path in ("/api/scim/v2/Users/%0d%0aX:%20y", "/api/scim/v2/../../healthz/x"):
        answer = proxied.send("GET", path)
        assert (answer.status, "X" in answer.headers) == (404, False)


MONITORING = (
    *(path + slashes for path in ("/healthz", "/readyz", "/metrics") for slashes in ("", "/", "//", "%2f", "/.")),
    *("//metrics", "/./metrics/", "/x/..//healthz/", "/%6detrics/", "/provisioning/metrics/"),
)


@pytest.mark.requirement("R58")
def test_no_spelling_of_a_monitoring_path_passes_from_outside() -> None:
    site = SITE.read_text()
    inside = "        allow 127.0.0.1;\n        allow ::1;\n"
    assert inside in site
    with behind_nginx(site.replace(inside, "")) as proxied:
        statuses = {path: proxied.send("GET", path).status for path in MONITORING}

    assert statuses == dict.fromkeys(MONITORING, 403)


def test_monitoring_paths_are_open_on_the_machine(proxied: Proxied) -> None:
    assert proxied.send("GET", "/healthz").status == 200
    assert proxied.send("GET", "/readyz").status == 200
    assert proxied.send("GET", "/metrics").status == 404  # off without a token


def test_an_unknown_host_is_refused(proxied: Proxied) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for name in ("evil.example", None):
        with socket.create_connection(("127.0.0.1", proxied.port), 5) as connection, pytest.raises(ssl.SSLError):
            context.wrap_socket(connection, server_hostname=name)
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        proxied.send("GET", USERS, headers={"Host": "evil.example"})


@pytest.mark.slow
def test_an_address_has_a_bounded_number_of_requests_at_a_time() -> None:
    site = SITE.read_text()
    limit = "limit_conn scimsvc 200;"
    assert limit in site
    with behind_nginx(site.replace(limit, "limit_conn scimsvc 2;")) as proxied, ExitStack() as stack:
        for _ in range(2):
            connection = stack.enter_context(proxied.connect())
            connection.sendall(f"POST {USERS} HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: 99\r\n\r\n{{".encode())
        time.sleep(0.2)
        refused = proxied.send("GET", USERS)
        stack.close()
        time.sleep(0.2)
        served = proxied.send("GET", USERS)

    assert (refused.status, refused.headers["Content-Type"]) == (429, MEDIA_TYPE)
    assert (refused.json()["schemas"], refused.json()["status"]) == ([ERROR_URN], "429")
    assert refused.headers["Retry-After"]
    assert served.status == 200


def test_errors_of_the_service_and_of_nginx_are_scim_errors(proxied: Proxied) -> None:
    own = proxied.send("POST", USERS, b"x" * 1_500_000)
    nginx_s = proxied.send("POST", USERS, b"x" * 2_200_000)
    long = proxied.send("GET", f"{USERS}?filter={'x' * 40_000}")
    unauthorized = proxied.send("GET", USERS, headers={"Authorization": "Bearer nonsense"})

    for answer, status in ((own, 413), (nginx_s, 413), (long, 431), (unauthorized, 401)):
        assert (answer.status, answer.headers["Content-Type"]) == (status, MEDIA_TYPE)
        assert (answer.json()["schemas"], answer.json()["status"]) == ([ERROR_URN], str(status))
        assert answer.headers["X-Request-ID"]
    assert "WWW-Authenticate" in unauthorized.headers


@pytest.mark.slow
def test_a_stopped_service_is_a_scim_error_with_retry_after() -> None:
    with behind_nginx(SITE.read_text()) as proxied:
        assert proxied.live.stop() == 0
        answer = proxied.send("GET", USERS)

    assert (answer.status, answer.headers["Content-Type"], answer.headers["Retry-After"]) == (503, MEDIA_TYPE, "10")
    assert (answer.json()["schemas"], answer.json()["status"]) == ([ERROR_URN], "503")


@pytest.mark.requirement("R56")
def test_nothing_is_smuggled_past_nginx(proxied: Proxied) -> None:
    hidden = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    head = f"POST {USERS} HTTP/1.1\r\nHost: {NAME}\r\nAuthorization: Bearer {proxied.token}\r\n"
    for framing in (
        f"Content-Length: {5 + len(hidden)}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    ):
        with proxied.connect() as connection:
            connection.sendall(head.encode() + framing.encode() + hidden)
            content = b""
            while received := connection.recv(65536):
                content += received
        assert re.match(rb"HTTP/1.1 (400|501) ", content), content
        assert content.count(b"HTTP/1.1 ") == 1


@pytest.mark.requirement("R57")
def test_slow_clients_delay_no_one(proxied: Proxied) -> None:
    with ExitStack() as stack:
        for n in range(50):
            connection = stack.enter_context(proxied.connect())
            if n % 2:
                connection.sendall(f"POST {USERS} HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: 99\r\n\r\n{{".encode())
        begin = time.monotonic()
        answers = [proxied.send("GET", USERS) for _ in range(5)]
        took = time.monotonic() - begin

    assert {answer.status for answer in answers} == {200}
    assert took < 2 * crowd()


def test_a_client_can_send_chunks(proxied: Proxied) -> None:
    body = json.dumps(user_body("chunked@contoso.example")).encode()
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:7], body[7:])) + b"0\r\n\r\n"
    with proxied.connect() as connection:
        connection.sendall(
            f"POST {USERS} HTTP/1.1\r\nHost: {NAME}\r\nAuthorization: Bearer {proxied.token}\r\n"
            f"Content-Type: {MEDIA_TYPE}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
            + chunks
        )
        answer = HTTPResponse(connection)
        answer.begin()
        assert (answer.status, json.loads(answer.read())["userName"]) == (201, "Test User")


# The other proxy's file is checked by its own program if that is installed.


def test_the_caddyfile_is_valid(tmp_path: Path) -> None:
    caddy = shutil.which("caddy")
    if caddy is None:
        pytest.skip("caddy is not installed")
    path = SITE.with_name("Caddyfile")
    command = [caddy, "adapt", "--validate", "--adapter", "caddyfile", "--config", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, env={"HOME": str(tmp_path)})

    assert done.returncode == 0, done.stderr
    assert "scimsvc.sock" in done.stdout
