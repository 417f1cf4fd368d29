"""Run the steps of a plan, and make a report of their findings."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from scimsvc import clock
from scimsvc.selftest.cleanup import TITLE as TITLE_OF_CLEANUP
from scimsvc.selftest.cleanup import delete_own
from scimsvc.selftest.exchange import TransportFailure, forget_issuers
from scimsvc.selftest.findings import Finding, Outcome, error
from scimsvc.selftest.plan import Step
from scimsvc.selftest.reaching import TITLE, reach, read_config, read_has_groups, read_roles
from scimsvc.selftest.report import Report
from scimsvc.selftest.session import Session

#: Takes the number of steps that are done, the number of all, and the title of the one that begins.
Progress = Callable[[int, int, str], None]
#: The last step of every run, also of one that was interrupted.
CLEANUP = Step(TITLE_OF_CLEANUP, delete_own, "cleanup")
#: Exceptions of a check that reads an answer of a shape that it did not expect.
_MISREAD = (AttributeError, IndexError, KeyError, TypeError, ValueError)


def run(session: Session, steps: Sequence[Step], on_progress: Progress) -> Report:
    """Run ``steps`` in order and return the report. If nothing answers or the token is refused, end early."""
    started = clock.now()
    forget_issuers()
    findings = list(_findings(session, steps, on_progress))
    on_progress(len(steps) + 2, len(steps) + 2, "")
    return Report(session.target.url, session.run, started, clock.now(), tuple(findings))


def _findings(session: Session, steps: Sequence[Step], on_progress: Progress) -> Iterator[Finding]:
    total = len(steps) + 2
    on_progress(0, total, TITLE)
    first = reach(session)
    yield first
    if first.outcome is Outcome.ERROR:
        return
    session = _informed(session)
    try:
        for number, step in enumerate(steps, 1):
            on_progress(number, total, step.title)
            yield from _timed(session, step)
    finally:
        on_progress(total - 1, total, TITLE_OF_CLEANUP)
        ending = list(_timed(session, CLEANUP))
    yield from ending


def _informed(session: Session) -> Session:
    """Return the session with the server's own words about its features. A failure leaves them out."""
    try:
        config = read_config(session)
        roles = session.roles or read_roles(session)
        return replace(session, config=config, roles=roles, has_groups=session.is_scimsvc or read_has_groups(session))
    except TransportFailure:
        return session


def _timed(session: Session, step: Step) -> Iterator[Finding]:
    """Yield the findings of a step, each with its duration, and an error if the step fails."""
    started = time.perf_counter()
    try:
        for finding in step.check(session):
            now = time.perf_counter()
            yield replace(finding, seconds=round(now - started, 3))
            started = now
    except TransportFailure as failure:
        yield _failed(step, f"No answer: {failure.reason} ({failure.kind}).", time.perf_counter() - started)
    except _MISREAD as mistake:
        detail = f"The answer has an unexpected form ({type(mistake).__name__}: {mistake})."
        yield _failed(step, detail, time.perf_counter() - started)


def _failed(step: Step, detail: str, seconds: float) -> Finding:
    remedy = "Compare the logs of the proxy and of the server at this time."
    return replace(error(step.name, step.title, detail, remedy), seconds=round(seconds, 3))
