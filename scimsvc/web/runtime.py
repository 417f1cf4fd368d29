"""What lives as long as the process: the settings, the signer, and what is counted between requests."""

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scimsvc.activity.change_feed import Waiters
from scimsvc.activity.provisioning_log import Allowance
from scimsvc.activity.pruning import Pruning
from scimsvc.auth.callers import Callers, LastUses
from scimsvc.auth.expiry import ExpiryNotices
from scimsvc.auth.rate_limit import RateLimit
from scimsvc.auth.throttling import WrongPasswords, WrongSecrets
from scimsvc.auth.tokens import TokenSigner
from scimsvc.reports.hourly_counts import History
from scimsvc.settings import Settings
from scimsvc.store.paging import CursorKeys

if TYPE_CHECKING:
    from scimsvc.operations.metrics import Metrics

#: Threads of a server that does not say: few, as threads that hand the interpreter's lock to and fro cost more than
#: they bring.
DEFAULT_THREADS = 4


@dataclass(slots=True)
class Runtime:
    """One for each app, under ``app.extensions["scimsvc"]``."""

    settings: Settings
    signer: TokenSigner
    callers: Callers
    cursor_keys: CursorKeys
    rate_limit: RateLimit
    wrong_secrets: WrongSecrets = field(default_factory=WrongSecrets)
    #: How often refused clients may stand in the provisioning log.
    logged_refusals: Allowance = field(default_factory=Allowance)
    wrong_passwords: WrongPasswords = field(default_factory=WrongPasswords)
    last_uses: LastUses = field(default_factory=LastUses)
    expiry_notices: ExpiryNotices = field(default_factory=ExpiryNotices)
    #: None where ``/metrics`` is not wanted, and nothing is counted.
    metrics: "Metrics | None" = None
    pruning: Pruning = field(default_factory=Pruning)
    history: History = field(default_factory=History)
    #: Who may wait for changes; a server that knows how many threads it has puts another one here.
    waiters: Waiters = field(default_factory=lambda: Waiters(DEFAULT_THREADS))
    #: Set once the process is asked to stop: ``/readyz`` answers 503 from then on.
    stopping: threading.Event = field(default_factory=threading.Event)


def make_runtime(settings: Settings) -> Runtime:
    """Return the runtime that ``settings`` ask for."""
    signer = TokenSigner(settings.secret_keys)
    return Runtime(
        settings,
        signer,
        Callers(signer),
        CursorKeys(settings.secret_keys),
        RateLimit(settings.rate_limit),
        metrics=_make_metrics() if settings.metrics_token else None,
    )


def _make_metrics() -> "Metrics":
    # Imported here, as few want counts, and Prometheus' library would be loaded at every start.
    from scimsvc.operations.metrics import Metrics

    return Metrics()
