"""The health of the identity provider: its last and its usual cycle, whether it is silent, and the risk of quarantine.

Entra puts a provisioning job into quarantine if its credentials are refused, or if it has 5,000 failures that are more
than 40 percent of all objects, or 40,000 failures (Entra facts section 9). It then runs one cycle a day, and disables
the job after four weeks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from scimsvc.protocol.reasons import Reason
from scimsvc.reports.open_causes import OpenCause
from scimsvc.reports.provider_cycles import Rhythm, read_rhythms
from scimsvc.store.tenancy import Tenant
from scimsvc.web.providers import is_for_entra

#: The failures and their share of all objects from which Entra puts a job into quarantine.
QUARANTINE_FAILURES, QUARANTINE_SHARE = 5_000, 0.4
#: The part of both from which the overview warns.
_WARN_FROM = 0.5
#: A usual cycle of this length is that of a job in quarantine.
_DAILY = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class ProviderHealth:
    """The state of the provider that sent the last request."""

    #: None before the first request.
    rhythm: Rhythm | None
    is_running: bool
    is_silent: bool
    #: Why Entra may have put its job into quarantine, or may do so soon: a keyword of ``RISKS``, or None.
    risk: str | None


#: The provider cannot authenticate; it sends requests once a day; it has enough failures for a
#: quarantine, or half as many.
CREDENTIALS, DAILY, FAILURES, MANY_FAILURES = "credentials", "daily", "failures", "many-failures"
RISKS = (CREDENTIALS, DAILY, FAILURES, MANY_FAILURES)


def read_health(tenant: Tenant, causes: Sequence[OpenCause], *, users: int, now: datetime) -> ProviderHealth:
    """Return the health of the enterprise's provider, with its open ``causes`` and the number of ``users``."""
    rhythm = next(iter(read_rhythms(tenant.connection, tenant.id)), None)
    is_entra = rhythm is None or is_for_entra(rhythm.provider)
    return ProviderHealth(
        rhythm,
        is_running=rhythm is not None and rhythm.is_running(now),
        is_silent=rhythm is not None and rhythm.is_silent(now),
        risk=_risk(rhythm, causes, users) if is_entra else None,
    )


def _risk(rhythm: Rhythm | None, causes: Sequence[OpenCause], users: int) -> str | None:
    if any(cause.cause in _CREDENTIALS and not cause.is_fixed for cause in causes):
        return CREDENTIALS
    if rhythm is not None and rhythm.usual_cycle is not None and rhythm.usual_cycle >= _DAILY:
        return DAILY
    failures = sum(cause.refusals for cause in causes if not cause.is_fixed)
    share = failures / max(1, failures + users)
    if failures >= QUARANTINE_FAILURES and share > QUARANTINE_SHARE:
        return FAILURES
    if failures >= _WARN_FROM * QUARANTINE_FAILURES and share > _WARN_FROM * QUARANTINE_SHARE:
        return MANY_FAILURES
    return None


_CREDENTIALS = frozenset({Reason.TOKEN, Reason.SECRET, Reason.SCIM_OFF, Reason.SUSPENDED})
