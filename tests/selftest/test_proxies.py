"""The self-test names each fault of a proxy, and nothing else."""

import pytest

from scimsvc.selftest.findings import Outcome
from tests.selftest.bench import SCIM, Bench, faults
from tests.support.broken_proxy import Fault
from tests.support.proxy_faults import API_FAULTS, FAULTS, add_token, cached

pytestmark = [pytest.mark.slow, pytest.mark.system]


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
