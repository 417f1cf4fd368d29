"""Check accounts, backups, growth, and the clock."""

from collections.abc import Iterator
from datetime import timedelta

from scimsvc import clock
from scimsvc.operations.background.pruning import SteadyClock
from scimsvc.operations.doctor.findings import Finding, Kind, Severity, Topic
from scimsvc.operations.growth import Topic as Growth
from scimsvc.operations.growth import count_overdue, find_growth
from scimsvc.operations.status import describe_worker
from scimsvc.protocol.errors import listed
from scimsvc.store.admins import list_admins
from scimsvc.store.audit import INSTALLATION, AuditConditions, list_audit_rows, search_audit_rows
from scimsvc.store.engine.transactions import reading
from scimsvc.store.upkeep.maintenance import is_sqlite, read_server_time
from scimsvc.vocabulary import OPERATOR, Action
from scimsvc.web.state import app_settings

NO_SECOND_FACTOR = Kind(
    "accounts.no_second_factor", Severity.WARNING, "Operators can sign in with their password only.",
    "console_all_accounts.list_",
)  # fmt: skip
NO_BACKUP = Kind("backups.none", Severity.INFO, "The audit log has no backup by `scimsvc backup`.")
OLD_BACKUP = Kind("backups.old", Severity.WARNING, "The last backup by `scimsvc backup` is older than a week.")
CLOCK = Kind(
    "clock.wrong", Severity.WARNING,
    "The clock of this machine differs from that of PostgreSQL, or is behind the newest entry.",
)  # fmt: skip
PRUNING = Kind("growth.pruning", Severity.WARNING, "Rows that pruning should have deleted exist.")
QUOTA = Kind("growth.quota", Severity.WARNING, "An enterprise is near a quota.", "console_enterprises.start")
COPIES = Kind("growth.copies", Severity.INFO, "Copies of the database from before upgrades exist.")
SPACE = Kind("growth.space", Severity.INFO, "Most of the database file is unused.")
_GROWTH = {Growth.PRUNING: PRUNING, Growth.QUOTA: QUOTA, Growth.COPIES: COPIES, Growth.SPACE: SPACE}
_WEEK = timedelta(days=7)


def find_accounts() -> Iterator[Finding]:
    """Find operators with a password and no second factor."""
    with reading() as connection:
        accounts = list_admins(connection)
    local = app_settings().local_sign_in
    weak = [
        each.email
        for each in accounts
        if each.role == OPERATOR
        and each.password_hash is not None
        and each.second_factor_key_id is None
        and local.allows(each.email_key, is_operator=True)
    ]
    if weak:
        yield NO_SECOND_FACTOR.found(
            f"The operators {listed(weak)} have no second factor.", "Set SCIMSVC_REQUIRE_MFA=operators."
        )


def find_backups() -> Iterator[Finding]:
    """Find that the SQLite database was not backed up for a week."""
    if not is_sqlite():
        return
    conditions = AuditConditions(action=Action.DATABASE_BACKED_UP)
    with reading() as connection:
        backups, _ = search_audit_rows(connection, INSTALLATION, conditions, limit=1)
    remedy = "Run 'scimsvc backup' daily, and keep the copies on another machine."
    if not backups:
        yield NO_BACKUP.found("No backup by 'scimsvc backup' is known.", remedy)
    elif clock.now() - clock.parse_timestamp(backups[0].time) > _WEEK:
        yield OLD_BACKUP.found(f"The last known backup was made at {backups[0].time}.", remedy)


def find_growth_faults() -> Iterator[Finding]:
    """Find what grows without end."""
    for growth in find_growth(count_overdue()):
        yield _GROWTH[growth.topic].found(growth.found, growth.remedy)


def find_clock_faults() -> Iterator[Finding]:
    """Find a clock that is wrong."""
    now = clock.now()
    with reading() as connection:
        entries = list_audit_rows(connection, None, AuditConditions(), limit=1)
    times = [entry.time for entry in entries] + [beat for beat in [describe_worker()["beat_at"]] if beat]
    newest = max(map(clock.parse_timestamp, times), default=now)
    server = read_server_time() or now
    remedy = "Synchronize the clocks of all machines (NTP)."
    if newest - now > SteadyClock.TOLERANCE:
        yield CLOCK.found(
            f"The clock says {clock.timestamp(now)}, before the newest entry ({clock.timestamp(newest)}).", remedy
        )
    elif abs(server - now) > SteadyClock.TOLERANCE:
        yield CLOCK.found(
            f"The clock says {clock.timestamp(now)}, and that of PostgreSQL {clock.timestamp(server)}.", remedy
        )


TOPICS = (
    Topic("accounts", "All operators with a password have a second factor.", find_accounts, (NO_SECOND_FACTOR,)),
    Topic("backups", "The database was backed up, or PostgreSQL's tools do it.", find_backups, (NO_BACKUP, OLD_BACKUP)),
    Topic("growth", "Nothing grows without end.", find_growth_faults, (PRUNING, QUOTA, COPIES, SPACE)),
    Topic("clock", "The clock agrees with the database.", find_clock_faults, (CLOCK,)),
)
