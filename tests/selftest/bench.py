"""A live service behind a proxy, and the checks of proxies."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scimsvc import create_app
from scimsvc.selftest.findings import Finding, Outcome
from scimsvc.selftest.plan import Step
from scimsvc.selftest.proxies import CHECKS
from scimsvc.selftest.running import run
from scimsvc.selftest.session import Session
from scimsvc.selftest.target import parse_target
from tests.support.apps import dispose, run_command
from tests.support.broken_proxy import BrokenProxy, broken_proxy
from tests.support.live import Live, serving

SCIM = "/api/scim/v2"


@dataclass(frozen=True)
class Bench:
    """A live service behind a proxy, with tokens of an enterprise."""

    live: Live
    proxy: BrokenProxy
    scim_token: str
    api_token: str

    def judge(self, url: str, api_token: str | None = None, ca_file: Path | None = None) -> tuple[Finding, ...]:
        """Run the checks of proxies against a Tenant URL, with short pauses."""
        return judge(url, self.scim_token, api_token, ca_file)


def judge(url: str, token: str, api_token: str | None = None, ca_file: Path | None = None) -> tuple[Finding, ...]:
    """Run the checks of proxies against a Tenant URL, with short pauses."""
    session = Session(parse_target(url, ca_file), token, api_token=api_token, pause=0.25, poll_seconds=2)
    steps = [Step(check.__doc__ or "", check) for check in CHECKS]
    return run(session, steps, lambda *_: None).findings


@contextmanager
def serve_bench(folder: Path) -> Iterator[Bench]:
    """Serve an enterprise with SCIM behind a proxy without a fault."""
    app = create_app({"INSTANCE_PATH": str(folder / "instance")})
    run_command(app, "init")
    run_command(app, "enterprise", "create", "Acme", "--enable-scim")
    tokens = [run_command(app, "token", "issue", "Acme", *options)["access_token"] for options in ((), ("--api",))]
    dispose(app)
    with serving(folder, command="serve", TRUSTED_PROXIES="1") as live, broken_proxy(live.base_url) as proxy:
        yield Bench(live, proxy, *tokens)


def faults(findings: tuple[Finding, ...]) -> dict[str, str]:
    """Return the details of all that was found, by the name of the check."""
    wrong = (Outcome.ERROR, Outcome.WARNING)
    return {each.check.removeprefix("proxy."): each.detail for each in findings if each.outcome in wrong}
