"""The self-test through real nginx: as shipped, and with faults that nginx itself can have."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from scimsvc.selftest.findings import Outcome
from scimsvc.selftest.proxies.catalog import read_catalog
from tests.selftest.bench import SCIM, Bench, faults, judge
from tests.support.broken_proxy import Fault, Reply, Reset, Sent, broken_proxy
from tests.support.proxy import SITE, behind_nginx, free_port, nginx, nginx_complaints, require

pytestmark = [pytest.mark.slow, pytest.mark.system]

_NAMED = "proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Host $http_host;"
_FORWARDED = f"{_NAMED} proxy_set_header X-Forwarded-Proto $scheme;"


@dataclass(frozen=True)
class Site:
    """A server of nginx: lines of its block and of its location, and the checks that find something."""

    names: tuple[str, ...] = ()
    server: str = "client_max_body_size 4m;"
    location: str = ""
    forwarded: str = _FORWARDED
    to: str = "http://service"
    prefix: str = ""


_LARGE = "client_max_body_size 4m;"
_CACHE = "proxy_cache memory; proxy_ignore_headers Cache-Control Expires; proxy_cache_valid 200 60s;"
_INTERCEPT = "proxy_intercept_errors on; error_page 400 404 409 = /page;"

SITES: dict[str, Site] = {
    "without a fault": Site(),
    "compression on request": Site(server=f"{_LARGE} gzip on; gzip_types *; gzip_min_length 1;"),
    "normalised path": Site(to="http://service$uri$is_args$args"),
    "default limit of bodies": Site(("large_body",), server=""),
    "bodies over 100 kB": Site(("body_limit",), server="client_max_body_size 100k;"),
    "Authorization removed": Site(("authorization_lost",), location='proxy_set_header Authorization "";'),
    "authentication by nginx": Site(("authorization_lost",), location="auth_basic x; auth_basic_user_file users;"),
    "User-Agent required": Site(("user_agent_required",), location='if ($http_user_agent = "") { return 403; }'),
    "User-Agent required, without an answer": Site(
        ("user_agent_required",), location='if ($http_user_agent = "") { return 444; }'
    ),
    "sign-in page": Site(("redirected",), location="return 302 https://login.example/;"),
    "service stopped": Site(("gateway",), to="http://127.0.0.1:1"),
    "doubled slashes redirected": Site(
        ("doubled_slash",), location='if ($request_uri ~ "^([^?]*)//(.*)") { return 301 $1/$2; }'
    ),
    "host not forwarded": Site(("location_host",), forwarded="proxy_set_header X-Forwarded-Proto $scheme;"),
    "wrong scheme": Site(("location_scheme",), forwarded=f"{_NAMED} proxy_set_header X-Forwarded-Proto https;"),
    "prefix not forwarded": Site(("location_prefix",), prefix="/provisioning", to="http://service/"),
    "connections closed": Site(("connections_closed",), server=f"{_LARGE} keepalive_timeout 0;"),
    "idle connections closed": Site(("idle_closed",), server=f"{_LARGE} keepalive_timeout 100ms;"),
    "slow bodies refused": Site(("slow_body",), server=f"{_LARGE} client_body_timeout 100ms;"),
    "methods refused": Site(("methods_blocked", "cleanup"), location="limit_except GET POST { deny all; }"),
    "ETag hidden": Site(("etag_lost",), location="proxy_hide_header ETag;"),
    "conditions removed": Site(("conditions_lost",), location='proxy_set_header If-None-Match "";'),
    "charset added": Site(("charset",), location="charset utf-8; charset_types application/scim+json;"),
    "cache": Site(("cached",), location=_CACHE),
    "errors intercepted": Site(
        ("error_pages",), server=f"{_LARGE} {_INTERCEPT} location = /page {{ return 404 page; }}"
    ),
    "short headers": Site(("long_headers", "long_urls"), server=f"{_LARGE} large_client_header_buffers 4 2k;"),
    "rule against quotes": Site(("query_quotes",), location='if ($args ~ "%22") { return 403; }'),
    "rule against brackets": Site(("query_brackets",), location=r'if ($args ~ "\[|%5B") { return 403; }'),
    "query not forwarded": Site(("query_lost",), to="http://service$uri"),
    "POST repeated": Site(
        ("requests_repeated",), location="proxy_next_upstream error timeout non_idempotent;", to="http://flaky"
    ),
}


def lose_created(sent: Sent, _: Reply) -> None:
    """Break the connection after the service has answered POST."""
    if sent.method == "POST":
        raise Reset


@pytest.fixture(scope="module")
def ports(bench: Bench) -> Iterator[dict[str, int]]:
    """One nginx with a server on a port of its own for each site."""
    require("nginx")
    service = bench.live.base_url.removeprefix("http://")
    ports = {name: free_port() for name in SITES}
    with ExitStack() as stack:
        flaky = stack.enter_context(broken_proxy(bench.live.base_url))
        flaky.fault = Fault(reply=lose_created)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        text = (
            f"proxy_cache_path {folder}/cache keys_zone=memory:1m; access_log off;\n"
            f"upstream service {{ server {service} max_fails=0; }}\n"
            f"upstream flaky {{ server localhost:{flaky.port} max_fails=0; server {service} backup; }}\n"
        )
        text += "\n".join(_server(site, ports[name]) for name, site in SITES.items())
        stack.enter_context(nginx(folder, text, ports["without a fault"]))
        yield ports


def _server(site: Site, port: int) -> str:
    inner = f"{site.forwarded} {site.location} proxy_pass {site.to};"
    return f"server {{ listen 127.0.0.1:{port}; {site.server} location {site.prefix}/ {{ {inner} }} }}"


@pytest.mark.parametrize("name", SITES)
def test_a_fault_of_nginx_is_named_and_nothing_else(bench: Bench, ports: dict[str, int], name: str) -> None:
    site = SITES[name]
    seen = faults(bench.judge(f"http://localhost:{ports[name]}{site.prefix}{SCIM}"))
    assert set(seen) == set(site.names), seen


def test_all_checks_pass_behind_the_shipped_configuration() -> None:
    port = free_port()
    site = SITE.read_text().replace("server_name scim.example.com;", "server_name localhost;")
    url = f"https://localhost:{port}"
    with behind_nginx(site, port, TRUSTED_PROXIES="1", PUBLIC_URL=url) as proxied:
        certificate = proxied.folder / "certificate.pem"
        findings = judge(url + SCIM, proxied.token, proxied.api_token, certificate)

    assert {each.check: each.detail for each in findings if each.outcome is not Outcome.OK} == {}


#: Lines that need a certificate, or the module ModSecurity.
_NEEDING_MORE = ("ssl_certificate ", "listen 443 ssl;", "SecRule")


def test_the_lines_for_nginx_are_valid(tmp_path: Path) -> None:
    require("nginx")
    port = free_port()
    blocks = []
    for name, entry in read_catalog().items():
        lines = [line for line in entry.nginx.splitlines() if not line.startswith(_NEEDING_MORE)]
        text = "\n".join(lines)
        inner = f"location / {{ {text}\n }}" if "proxy_pass" in text else text
        blocks.append(
            f"server {{ listen {port}; server_name {name}; location @too_large {{ return 413; }}\n{inner}\n }}"
        )
    site = "upstream scimsvc { server 127.0.0.1:1; }\n" + "\n".join(blocks)

    assert nginx_complaints(tmp_path, site) == ""
