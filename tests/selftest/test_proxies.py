"""The self-test names each fault of a proxy, and nothing else."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from scimsvc import create_app
from scimsvc.selftest.findings import Finding, Outcome
from scimsvc.selftest.plan import Step
from scimsvc.selftest.proxies import CHECKS
from scimsvc.selftest.running import run
from scimsvc.selftest.session import Session
from scimsvc.selftest.target import parse_target
from tests.support.apps import dispose, run_command
from tests.support.broken_proxy import BrokenProxy, Fault, broken_proxy
from tests.support.live import Live, serving
from tests.support.proxy_faults import API_FAULTS, FAULTS, add_token, cached

pytestmark = pytest.mark.system

SCIM = "/api/scim/v2"


@dataclass(frozen=True)
class Bench:
    """A live service behind a proxy, with tokens of an enterprise."""

    live: Live
    proxy: BrokenProxy
    scim_token: str
    api_token: str

    def judge(self, url: str, api_token: str | None = None) -> tuple[Finding, ...]:
        """Run the checks of proxies against a Tenant URL, with short pauses."""
        session = Session(parse_target(url), self.scim_token, api_token=api_token, pause=0.25, poll_seconds=2)
        steps = [Step(check.__doc__ or "", check) for check in CHECKS]
        return run(session, steps, lambda *_: None).findings


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("bench")
    app = create_app({"INSTANCE_PATH": str(folder / "instance")})
    run_command(app, "init")
    run_command(app, "enterprise", "create", "Acme", "--enable-scim")
    tokens = [run_command(app, "token", "issue", "Acme", *options)["access_token"] for options in ((), ("--api",))]
    dispose(app)
    with serving(folder, command="serve", TRUSTED_PROXIES="1") as live, broken_proxy(live.base_url) as proxy:
        yield Bench(live, proxy, *tokens)


def faults(findings: tuple[Finding, ...]) -> dict[str, str]:
    """Return what was seen, by the name of each check that found something."""
    wrong = (Outcome.ERROR, Outcome.WARNING)
    return {each.check.removeprefix("proxy."): each.detail for each in findings if each.outcome in wrong}


def judge_fault(bench: Bench, fault: Fault, api_token: str | None = None) -> dict[str, str]:
    bench.proxy.fault = fault
    return faults(bench.judge(bench.proxy.origin + fault.prefix + SCIM, api_token))


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named_and_nothing_else(bench: Bench, name: str) -> None:
    fault, expected = FAULTS[name]
    seen = judge_fault(bench, fault)
    assert set(seen) == expected, seen


@pytest.mark.parametrize("name", API_FAULTS)
def test_a_fault_of_waiting_is_named_and_nothing_else(bench: Bench, name: str) -> None:
    fault, expected = API_FAULTS[name]
    seen = judge_fault(bench, fault, bench.api_token)
    assert set(seen) == expected, seen


def test_a_cache_is_named(bench: Bench) -> None:
    assert set(judge_fault(bench, cached())) == {"cached"}


def test_an_added_token_is_named(bench: Bench) -> None:
    assert set(judge_fault(bench, Fault(request=add_token(bench.scim_token)))) == {"unauthenticated"}


def test_all_checks_pass_without_a_proxy(bench: Bench) -> None:
    findings = bench.judge(bench.live.base_url + SCIM, bench.api_token)
    skipped = {each.detail for each in findings if each.outcome is Outcome.SKIPPED}
    assert faults(findings) == {}
    assert skipped == {"The Tenant URL is http."}
