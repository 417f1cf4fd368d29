"""Users in files: importing manual users, all of a file or none, and exporting all users."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from scimsvc import clock, schemas
from scimsvc.activity.feed_writing import record_changes
from scimsvc.enterprises.new_users import ManualUser, describe_manual_user
from scimsvc.enterprises.profiles import list_users
from scimsvc.enterprises.user_csv import Line, read_lines
from scimsvc.errors import Conflict, InvalidInput
from scimsvc.mapping.resolve import EnterpriseRoles
from scimsvc.mapping.roles import read_enterprise_roles
from scimsvc.protocol.attributes import fold
from scimsvc.protocol.errors import quoted
from scimsvc.schemas.validation import validated
from scimsvc.store.engine.retries import retried
from scimsvc.store.tenancy import Tenant, reading_in, writing_in
from scimsvc.store.user_writes import UserConflict, insert_users, list_taken_addresses, list_taken_user_names

_BATCH = 1000
_Member = TypeVar("_Member")
#: The number of a line, and what is wrong with it.
_Problem = tuple[int, str]


class InvalidFile(InvalidInput):
    """Some lines of a file are wrong, and nothing was imported; the detail names each line."""

    def __init__(self, problems: Iterable[_Problem]) -> None:
        by_line = {
            number: [text for _, text in group]
            for number, group in itertools.groupby(sorted(problems), key=lambda problem: problem[0])
        }
        lines = [f"line {number}: {'; '.join(texts)}" for number, texts in by_line.items()]
        wrong = "1 line is wrong" if len(lines) == 1 else f"{len(lines):,} lines are wrong"
        super().__init__(
            "\n".join([f"{wrong}, and nothing was imported:", *lines]),
            {f"line {number}": texts for number, texts in by_line.items()},
        )


def export_users(enterprise: str) -> Iterator[dict[str, Any]]:
    """Yield every user by e-mail address, as the enterprise API shows it, with one page in memory at a time."""
    after: str | None = None
    while True:
        page = list_users(enterprise, after=after, limit=_BATCH)
        yield from page.items
        if page.next is None:
            return
        after = page.next


def import_users(
    enterprise: str, content: bytes, *, progress: Callable[[int, int], None] = lambda _more, _of: None
) -> int:
    """Create a manual user of each line of a CSV file, all or none, and return how many they are.

    ``progress`` is called with the number of further steps that are done, and the number of all steps. Raises
    ``InvalidFile``, which names every wrong line and its problems, and ``InvalidInput`` for a file without a header.
    """
    with reading_in(enterprise) as tenant:
        rules = _read_rules(tenant)
    lines = list(read_lines(content))
    steps = 2 * len(lines)
    file = _File()
    for batch in _batches(lines):
        for line in batch:
            file.add(line, rules)
        progress(len(batch), steps)
    file.problems.extend(_repeated(file.claims, rules))
    return _insert(rules, file, lambda more: progress(more, steps))


@dataclass(frozen=True, slots=True)
class _Rules:
    """What an enterprise decides about its users."""

    enterprise_id: str
    roles: EnterpriseRoles
    unique_user_name: bool


def _read_rules(tenant: Tenant) -> _Rules:
    roles = read_enterprise_roles(tenant.connection, tenant.id, tenant.row.name)
    return _Rules(tenant.id, roles, tenant.row.unique_user_name)


@dataclass(frozen=True, slots=True)
class _Claim:
    """What only one user may have, folded, and the line that claims it."""

    line: int
    email_key: str
    user_name_key: str


@dataclass(frozen=True, slots=True)
class _File:
    """A file's users, what they claim, and what is wrong with its lines."""

    users: list[ManualUser] = field(default_factory=list)
    claims: list[_Claim] = field(default_factory=list)
    problems: list[_Problem] = field(default_factory=list)

    def add(self, line: Line, rules: _Rules) -> None:
        """Read ``line``."""
        user, problems = _read_user(line, rules)
        self.problems.extend((line.number, problem) for problem in problems)
        if user is not None:
            self.users.append(user)
        email = line.text("email")
        if email:
            self.claims.append(_Claim(line.number, fold(email), fold(line.text("user_name") or email)))


def _read_user(line: Line, rules: _Rules) -> tuple[ManualUser | None, list[str]]:
    """Return the user that ``line`` describes, or what is wrong with it."""
    if line.problems and not line.cells:
        return None, line.problems
    default_name = {"user_name": line.cells["email"]} if "email" in line.cells else {}
    problems = list(line.problems)
    role_name = line.text("role")
    role = rules.roles.find(role_name) if role_name is not None else None
    if role_name is not None and role is None:
        there_are = ", ".join(rules.roles.names)
        problems.append(f"role: there is no role {quoted(role_name)}; there are {there_are}")
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
    """Return what ``error`` says of the fields of ``line``, less what is said of them already."""
    # A userName that is left out is the address, whose problems would be repeated.
    known = {"user_name"} - line.cells.keys() | {problem.partition(":")[0] for problem in line.problems}
    return [f"{name}: {text}" for name, texts in error.errors.items() for text in texts if name not in known]


def _repeated(claims: Sequence[_Claim], rules: _Rules) -> Iterator[_Problem]:
    """Yield the claims that an earlier line makes already."""
    addresses: dict[str, int] = {}
    names: dict[str, int] = {}
    for claim in claims:
        first = addresses.setdefault(claim.email_key, claim.line)
        if first != claim.line:
            yield claim.line, f"email: line {first} has this address already"
        first = names.setdefault(claim.user_name_key, claim.line)
        if rules.unique_user_name and first != claim.line:
            yield claim.line, f"user_name: line {first} has this userName already"


@retried
def _insert(rules: _Rules, file: _File, progress: Callable[[int], None]) -> int:
    """Insert the users of ``file`` with their entries in the feed; raises ``InvalidFile`` or ``Conflict``.

    Everything is computed before, so that other writers wait only for the writing.
    """
    with writing_in(rules.enterprise_id, changes_settings=False) as tenant:
        if _read_rules(tenant) != rules:
            raise Conflict("the enterprise's roles or settings were changed at this moment; import the file again")
        problems = [*file.problems, *_taken(tenant, file.claims)]
        if problems:
            raise InvalidFile(problems)
        at = clock.timestamp(clock.now())
        for batch in _batches(file.users):
            _insert_batch(tenant, batch, at)
            progress(len(batch))
        # Last, because a transaction that writes to the feed keeps others from it until it ends.
        for batch in _batches(file.users):
            record_changes(tenant.connection, tenant.id, [user.change for user in batch], at=at)
    return len(file.users)


def _insert_batch(tenant: Tenant, batch: Sequence[ManualUser], at: str) -> None:
    try:
        insert_users(tenant.connection, tenant.id, [user.row for user in batch], at=at)
    except UserConflict:
        raise Conflict("one of these users was made by somebody else at this moment; import the file again") from None


def _taken(tenant: Tenant, claims: Sequence[_Claim]) -> Iterator[_Problem]:
    """Yield the claims that conflict with existing users."""
    for batch in _batches(claims):
        taken = list_taken_addresses(tenant.connection, tenant.id, [claim.email_key for claim in batch])
        yield from ((c.line, "email: a user has this address already") for c in batch if c.email_key in taken)
        if tenant.row.unique_user_name:
            taken = list_taken_user_names(tenant.connection, tenant.id, [claim.user_name_key for claim in batch])
            yield from ((c.line, "user_name: a user has this already") for c in batch if c.user_name_key in taken)


def _batches(members: Sequence[_Member]) -> Iterator[Sequence[_Member]]:
    for start in range(0, len(members), _BATCH):
        yield members[start : start + _BATCH]
