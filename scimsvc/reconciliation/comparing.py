"""Compare a directory export with the users of an enterprise. Nothing is changed; the access is recorded."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import IO, Any, NamedTuple

from scimsvc import clock
from scimsvc.activity.audit import AuditLog, audited
from scimsvc.errors import Conflict, InvalidInput
from scimsvc.mapping.resolve import EnterpriseRoles
from scimsvc.mapping.roles import read_enterprise_roles
from scimsvc.protocol.attributes import fold
from scimsvc.protocol.users import work_address
from scimsvc.reconciliation.differences import KINDS, REMARKS, count_unconfirmed, note_differences, note_invalid
from scimsvc.reconciliation.matching import match, note_repeated
from scimsvc.reconciliation.reading import Export, Person, read_export
from scimsvc.reconciliation.workspace import create_indexes, workspace
from scimsvc.store.feed import count_users
from scimsvc.store.reconciliation import ComparedUser, iterate_compared_users
from scimsvc.store.representations import read_document
from scimsvc.store.tenancy import reading_in, writing_in
from scimsvc.vocabulary import Action

_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Options:
    """How a file is read and compared."""

    #: The columns that the user chose, by attribute.
    mapping: Mapping[str, str]
    encoding: str | None = None
    #: Report active users whom the directory did not confirm since this time.
    confirmed_since: str | None = None
    #: Refuse an enterprise with more users.
    most_users: int | None = None


class Finding(NamedTuple):
    """A difference, or a remark."""

    #: One of ``KINDS``.
    finding: str
    #: The line of the file, or the position of the object.
    line: int | None
    user_id: str | None
    user_name: str | None
    email: str | None
    external_id: str | None
    attribute: str | None
    #: The values of the directory and of this service.
    directory: str | None
    here: str | None
    detail: str | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """The result of a comparison, while its workspace is open."""

    summary: dict[str, Any]
    _connection: sqlite3.Connection

    @property
    def differences(self) -> int:
        """The number of findings without the remarks."""
        return int(self.summary["differences"])

    def findings(self, kind: str | None = None, limit: int | None = None) -> Iterator[Finding]:
        """Yield the findings by kind, or at most ``limit`` of one kind."""
        for each in KINDS if kind is None else (kind,):
            rows = self._connection.execute(_FINDINGS, (each, -1 if limit is None else limit))
            yield from map(Finding._make, rows)


_FINDINGS = (
    "SELECT kind, line, user_id, user_name, email, external_id, attribute, directory, here, detail FROM finding "
    "WHERE kind = ? ORDER BY number LIMIT ?"
)
#: A function that is called with the number of newly completed steps and the number of all steps.
Progress = Callable[[int, int], None]


@contextmanager
def compared(
    enterprise: str, file: IO[bytes], options: Options, *, progress: Progress | None = None
) -> Iterator[Comparison]:
    """Compare ``file`` with the users of the enterprise, and yield the result, which exists within the block.

    Raises ``NoSuchThing``, ``InvalidInput`` if the file is not recognized or has no valid line, and ``Conflict`` if the
    enterprise has too many users.
    """
    with reading_in(enterprise) as tenant:
        roles = read_enterprise_roles(tenant.connection, tenant.id, tenant.row.name)
        _refuse_many(options, count_users(tenant.connection, tenant.id))
    export = read_export(file, options.mapping, options.encoding)
    _record_access(enterprise)
    with workspace() as connection:
        lines = _load_people(connection, export, roles)
        at = clock.timestamp(clock.now())
        users = _load_users(connection, enterprise, progress)
        create_indexes(connection)
        note_repeated(connection)
        match(connection)
        attributes = note_differences(connection, options.confirmed_since)
        connection.execute("CREATE INDEX finding_kind ON finding (kind, number)")
        summary = _summary(connection, export, attributes, {"lines": lines, "users": users, "compared_at": at})
        yield Comparison(summary, connection)


def _refuse_many(options: Options, users: int) -> None:
    if options.most_users is not None and users > options.most_users:
        raise Conflict(
            f"The enterprise has {users:,} users. More than {options.most_users:,} are compared with the command "
            "'scimsvc reconcile'."
        )


@audited
def _record_access(enterprise: str) -> None:
    """Record that someone reads all users, as for an export."""
    with writing_in(enterprise, changes_settings=False) as tenant:
        log = AuditLog.of(tenant)
        log.record(Action.USERS_COMPARED, log.target())


# Load both sides.


def _load_people(connection: sqlite3.Connection, export: Export, roles: EnterpriseRoles) -> int:
    """Store the people of the file, and return the number of its valid lines; raises ``InvalidInput``."""
    lines, first_problem = 0, ""
    while batch := list(islice(export.people, _BATCH)):
        problems = [(person.line, person.problem) for person in batch if person.problem]
        if problems:
            note_invalid(connection, problems)
            first_problem = first_problem or f"Line {problems[0][0]}: {problems[0][1]}."
        rows = [_person_row(person, roles) for person in batch]
        connection.executemany(f"INSERT INTO person VALUES ({','.join('?' * 13)}, 0, NULL, NULL)", rows)
        lines += len(batch) - len(problems)
    if first_problem and not lines:
        raise InvalidInput(f"No line of the file is valid. {first_problem}")
    return lines


def _person_row(person: Person, roles: EnterpriseRoles) -> tuple[Any, ...]:
    role = roles.find(person.role) if person.role else None
    return (
        person.line,
        person.external_id or None,
        person.user_name or None,
        person.email or None,
        _key(person.user_name),
        _key(person.email),
        person.active,
        person.given_name,
        person.family_name,
        person.display_name,
        role.name if role is not None else None,
        person.role or None,
        bool(person.problem),
    )


def _key(text: str | None) -> str | None:
    return fold(text) if text else None


def _load_users(connection: sqlite3.Connection, enterprise: str, progress: Progress | None) -> int:
    """Store the users of the enterprise, and return their number."""
    users = 0
    with reading_in(enterprise) as tenant:
        total = count_users(tenant.connection, tenant.id)
        rows = map(_user_row, iterate_compared_users(tenant))
        while batch := list(islice(rows, _BATCH)):
            connection.executemany(f"INSERT INTO user VALUES ({','.join('?' * 13)}, NULL)", batch)
            users += len(batch)
            if progress is not None:
                progress(len(batch), total)
    return users


def _user_row(row: ComparedUser) -> tuple[Any, ...]:
    user = read_document(row)
    name = user.get("name", {})
    return (
        row.id,
        row.external_id,
        user["userName"],
        work_address(user),
        row.user_name_key,
        row.email_key,
        row.active,
        name.get("givenName"),
        name.get("familyName"),
        user.get("displayName"),
        row.role,
        row.source,
        row.confirmed_at,
    )


def _summary(
    connection: sqlite3.Connection, export: Export, attributes: list[str], totals: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the counts of a comparison."""
    counts = dict(connection.execute("SELECT kind, count(*) FROM finding GROUP BY kind"))
    matching = "SELECT count(*) FROM person WHERE user_id IS NOT NULL AND NOT is_invalid"
    matched = connection.execute(matching).fetchone()[0]
    findings = {kind: int(counts.get(kind, 0)) for kind in KINDS}
    return {
        **totals,
        "source": export.columns.source,
        "columns": export.columns.found,
        "compared": attributes,
        "skipped": export.others,
        "matched": matched,
        "never_confirmed": count_unconfirmed(connection),
        "differences": sum(number for kind, number in findings.items() if kind not in REMARKS),
        "findings": findings,
    }
