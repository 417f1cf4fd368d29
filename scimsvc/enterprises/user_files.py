"""Import manual users from a file, all or none, and export all users."""

import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from scimsvc import clock, schemas
from scimsvc.activity.audit import AuditLog, Difference, audited
from scimsvc.activity.feed_writing import record_changes
from scimsvc.enterprises.new_users import ManualUser, describe_manual_user
from scimsvc.enterprises.profiles import list_detailed_users
from scimsvc.enterprises.user_csv import Line, read_lines
from scimsvc.errors import Conflict, InvalidInput
from scimsvc.mapping.resolve import EnterpriseRoles
from scimsvc.mapping.roles import read_enterprise_roles
from scimsvc.protocol.attributes import fold
from scimsvc.protocol.errors import listed, quoted
from scimsvc.schemas.validation import validated
from scimsvc.store.tenancy import Tenant, reading_in, writing_in
from scimsvc.store.user_writes import UserConflict, insert_users, list_taken_addresses, list_taken_user_names
from scimsvc.vocabulary import Action
from scimsvc.web.quotas import quotas

_BATCH = 1000
_Member = TypeVar("_Member")
#: The number of a line, and a problem of this line.
_Problem = tuple[int, str]


class InvalidFile(InvalidInput):
    """Some lines of a file are invalid, and nothing was imported. The detail names each of these lines."""

    def __init__(self, problems: Iterable[_Problem]) -> None:
        self.by_line = {
            number: [text for _, text in group]
            for number, group in itertools.groupby(sorted(problems), key=lambda problem: problem[0])
        }
        lines = [f"line {number}: {'; '.join(texts)}" for number, texts in self.by_line.items()]
        invalid = "1 line is" if len(lines) == 1 else f"{len(lines):,} lines are"
        super().__init__(
            "\n".join(
                [f"Nothing was imported, because {invalid} invalid. Correct the file and import it again.", *lines]
            ),
            {f"line {number}": texts for number, texts in self.by_line.items()},
        )


def export_users(enterprise: str) -> Iterator[dict[str, Any]]:
    """Return every user as the enterprise API shows one, sorted by e-mail address, with one page in memory at a time.

    The export is recorded before its first user is read. Raises ``NoSuchThing``.
    """
    _record_export(enterprise)
    return _iterate_users(enterprise)


@audited
def _record_export(enterprise: str) -> None:
    with writing_in(enterprise, changes_settings=False) as tenant:
        log = AuditLog.of(tenant)
        log.record(Action.USERS_EXPORTED, log.target())


def _iterate_users(enterprise: str) -> Iterator[dict[str, Any]]:
    after: str | None = None
    while True:
        page = list_detailed_users(enterprise, after=after, limit=_BATCH)
        yield from page.items
        if page.next is None:
            return
        after = page.next


def import_users(
    enterprise: str, content: bytes, *, progress: Callable[[int, int], None] = lambda _more, _of: None
) -> int:
    """Create a manual user from each line of a CSV file, all or none, and return the number of users.

    ``progress`` is called with the number of steps done since the last call, and the number of all steps. Raises
    ``InvalidFile`` with every invalid line and its problems, or ``InvalidInput`` for an invalid header.
    """
    with reading_in(enterprise) as tenant:
        rules = _read_rules(tenant)
    lines = list(read_lines(content))
    steps = 2 * len(lines)
    file = _read_file(lines, rules, lambda more: progress(more, steps))
    return _insert(rules, file, lambda more: progress(more, steps))


@dataclass(frozen=True, slots=True)
class ImportCheck:
    """The result of an import of a file, before it happens."""

    #: The number of users that it would create, and the first of them.
    number: int
    users: list[dict[str, Any]]
    #: The number of each invalid line, and its problems. With any, the import would create no user.
    problems: dict[int, list[str]]


def check_import(enterprise: str, content: bytes, *, shown: int) -> ImportCheck:
    """Return what ``import_users`` would do, with the first ``shown`` users, without writing anything.

    Raises ``InvalidInput`` for an invalid header.
    """
    with reading_in(enterprise) as tenant:
        rules = _read_rules(tenant)
    file = _read_file(list(read_lines(content)), rules, lambda _: None)
    with reading_in(enterprise) as tenant:
        found = InvalidFile([*file.problems, *_taken(tenant, file.claims)])
    users = [
        {
            "email": user.change.email,
            "user_name": json.loads(user.row.columns["document"])["userName"],
            "role": user.change.role,
            "active": user.change.active,
        }
        for user in file.users[:shown]
    ]
    return ImportCheck(len(file.users), users, found.by_line)


def _read_file(lines: Sequence[Line], rules: "_Rules", progress: Callable[[int], None]) -> "_File":
    file = _File()
    for batch in _batches(lines):
        for line in batch:
            file.add(line, rules)
        progress(len(batch))
    file.problems.extend(_repeated(file.claims, rules))
    return file


@dataclass(frozen=True, slots=True)
class _Rules:
    """The settings and roles of an enterprise that decide about its users."""

    enterprise_id: str
    roles: EnterpriseRoles
    unique_user_name: bool


def _read_rules(tenant: Tenant) -> _Rules:
    roles = read_enterprise_roles(tenant.connection, tenant.id, tenant.row.name)
    return _Rules(tenant.id, roles, tenant.row.unique_user_name)


@dataclass(frozen=True, slots=True)
class _Claim:
    """The unique values of one line, folded."""

    line: int
    email_key: str
    user_name_key: str


@dataclass(frozen=True, slots=True)
class _File:
    """The users of a file, their unique values, and the problems of its lines."""

    users: list[ManualUser] = field(default_factory=list)
    claims: list[_Claim] = field(default_factory=list)
    problems: list[_Problem] = field(default_factory=list)

    def add(self, line: Line, rules: _Rules) -> None:
        """Read ``line`` and add its user or its problems."""
        user, problems = _read_user(line, rules)
        self.problems.extend((line.number, problem) for problem in problems)
        if user is not None:
            self.users.append(user)
        email = line.text("email")
        if email:
            self.claims.append(_Claim(line.number, fold(email), fold(line.text("user_name") or email)))


def _read_user(line: Line, rules: _Rules) -> tuple[ManualUser | None, list[str]]:
    """Return the user that ``line`` describes, or None and the problems of the line."""
    if line.problems and not line.cells:
        return None, line.problems
    default_name = {"user_name": line.cells["email"]} if "email" in line.cells else {}
    problems = list(line.problems)
    role_name = line.text("role")
    role = rules.roles.find(role_name) if role_name is not None else None
    if role_name is not None and role is None:
        problems.append(f"role: Role {quoted(role_name)} does not exist. Use one of {listed(rules.roles.names)}")
    try:
        fields = validated(schemas.MANUAL_USER, default_name | line.cells)
    except InvalidInput as error:
        return None, problems + _field_problems(line, error)
    try:
        user = describe_manual_user(
            fields,
            role,
            default_role=rules.roles.default.name,
            unique_user_name=rules.unique_user_name,
            origin=None,
        )
    except InvalidInput as error:
        return None, [*problems, error.detail]
    return (None, problems) if problems else (user, [])


def _field_problems(line: Line, error: InvalidInput) -> list[str]:
    """Return the problems in ``error`` for fields of ``line`` that have no problem yet."""
    # A missing userName defaults to the address and would repeat its problems.
    known = {"user_name"} - line.cells.keys() | {problem.partition(":")[0] for problem in line.problems}
    return [f"{name}: {text}" for name, texts in error.errors.items() for text in texts if name not in known]


def _repeated(claims: Sequence[_Claim], rules: _Rules) -> Iterator[_Problem]:
    """Yield a problem for each unique value that an earlier line already has."""
    addresses: dict[str, int] = {}
    names: dict[str, int] = {}
    for claim in claims:
        first = addresses.setdefault(claim.email_key, claim.line)
        if first != claim.line:
            yield claim.line, f"email: Line {first} already has this address"
        first = names.setdefault(claim.user_name_key, claim.line)
        if rules.unique_user_name and first != claim.line:
            yield claim.line, f"user_name: Line {first} already has this userName"


@audited
def _insert(rules: _Rules, file: _File, progress: Callable[[int], None]) -> int:
    """Insert the users of ``file`` with their entries in the feed; raises ``InvalidFile`` or ``Conflict``.

    The caller has computed everything before, so that this transaction blocks other writers only briefly.
    """
    with writing_in(rules.enterprise_id, changes_settings=False) as tenant:
        if _read_rules(tenant) != rules:
            raise Conflict("The enterprise's roles or settings changed during the import. Import the file again.")
        problems = [*file.problems, *_taken(tenant, file.claims)]
        if problems:
            raise InvalidFile(problems)
        documents = [user.row.columns["document"] for user in file.users]
        quotas.current.claim_users(tenant.connection, tenant.id, documents)
        at = clock.timestamp(clock.now())
        for batch in _batches(file.users):
            _insert_batch(tenant, batch, at)
            progress(len(batch))
        log = AuditLog.of(tenant)
        log.record(Action.USERS_IMPORTED, log.target(), Difference(after={"number": len(file.users)}))
        # Last, because a transaction that writes to the feed locks it until its end.
        for batch in _batches(file.users):
            record_changes(tenant.connection, tenant.id, [user.change for user in batch], at=at)
    return len(file.users)


def _insert_batch(tenant: Tenant, batch: Sequence[ManualUser], at: str) -> None:
    try:
        insert_users(tenant.connection, tenant.id, [user.row for user in batch], at=at)
    except UserConflict:
        raise Conflict("Another request created one of these users during the import. Import the file again.") from None


def _taken(tenant: Tenant, claims: Sequence[_Claim]) -> Iterator[_Problem]:
    """Yield a problem for each unique value that an existing user has."""
    for batch in _batches(claims):
        taken = list_taken_addresses(tenant.connection, tenant.id, [claim.email_key for claim in batch])
        yield from ((c.line, "email: Another user already has this address") for c in batch if c.email_key in taken)
        if tenant.row.unique_user_name:
            taken = list_taken_user_names(tenant.connection, tenant.id, [claim.user_name_key for claim in batch])
            yield from (
                (c.line, "user_name: Another user already has this userName") for c in batch if c.user_name_key in taken
            )


def _batches(members: Sequence[_Member]) -> Iterator[Sequence[_Member]]:
    for start in range(0, len(members), _BATCH):
        yield members[start : start + _BATCH]
