"""Users in files: manual ones imported, all of a file or none, and all users exported."""

import itertools
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from scimsvc import clock, schemas
from scimsvc.activity.change_feed import UserChange, record_changes
from scimsvc.enterprises.manual_users import list_users
from scimsvc.enterprises.user_csv import Line, read_lines
from scimsvc.errors import Conflict, InvalidInput
from scimsvc.mapping.resolve import EnterpriseRoles
from scimsvc.mapping.roles import read_enterprise_roles
from scimsvc.models import User
from scimsvc.protocol.attributes import fold
from scimsvc.protocol.errors import ScimError, shown
from scimsvc.protocol.reading.tolerances import RequestNotes
from scimsvc.protocol.resources import canonical_user, changed_attributes
from scimsvc.protocol.role_elements import default_element, with_role
from scimsvc.schemas.validation import validated
from scimsvc.store.representations import manual_document, user_columns
from scimsvc.store.retries import retried
from scimsvc.store.tenancy import Tenant, reading_in, writing_in
from scimsvc.vocabulary import CREATED, MANUAL

_BATCH = 1000
_Member = TypeVar("_Member")


class InvalidFile(InvalidInput):
    """Some lines of a file are wrong, and nothing of it was taken; the detail names each."""

    def __init__(self, problems: Iterable[tuple[int, str]]) -> None:
        by_line = {
            number: [problem for _, problem in found]
            for number, found in itertools.groupby(sorted(problems), key=lambda each: each[0])
        }
        lines = [f"line {number}: {'; '.join(found)}" for number, found in by_line.items()]
        wrong = "1 line is wrong" if len(lines) == 1 else f"{len(lines):,} lines are wrong"
        super().__init__(
            "\n".join([f"{wrong}, and nothing was imported:", *lines]),
            {f"line {number}": found for number, found in by_line.items()},
        )


def export_users(enterprise: str) -> Iterator[dict[str, Any]]:
    """Yield every user by e-mail address, as the enterprise API shows it, a page in memory at a time."""
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
    """Make a manual user of each line of a CSV file, all or none, and return how many they are.

    ``progress`` is told how many more steps are done, and of how many. Raises ``InvalidFile``, which names every wrong
    line with what is wrong, and ``InvalidInput`` for a file without a header.
    """
    with reading_in(enterprise) as tenant:
        rules = _Rules(tenant.id, _roles_of(tenant), tenant.row.unique_user_name)
    lines = list(read_lines(content))
    steps = 2 * len(lines)
    users: list[_NewUser] = []
    claims: list[_Claim] = []
    problems: list[tuple[int, str]] = []
    for batch in _batches(lines):
        for line in batch:
            made, found = _make(line, rules)
            problems += [(line.number, problem) for problem in found]
            users += [made] if made else []
            claims += _claims(line)
        progress(len(batch), steps)
    problems += _repeated(claims, rules)
    return _insert(rules, users, claims, problems, lambda more: progress(more, steps))


@dataclass(frozen=True, slots=True)
class _Rules:
    """What an enterprise wants of its users."""

    enterprise_id: str
    roles: EnterpriseRoles
    unique_user_name: bool


@dataclass(frozen=True, slots=True)
class _NewUser:
    """A user to be made: its row, and its change in the feed."""

    row: dict[str, Any]
    change: UserChange


@dataclass(frozen=True, slots=True)
class _Claim:
    """What a line wants to have for its user alone, folded."""

    line: int
    email_key: str
    user_name_key: str


def _claims(line: Line) -> list[_Claim]:
    email = line.cells.get("email")
    return [_Claim(line.number, fold(email), fold(line.cells.get("user_name", email)))] if email else []


def _make(line: Line, rules: _Rules) -> tuple[_NewUser | None, list[str]]:
    """Return the user that ``line`` describes, or what is wrong with it."""
    if line.problems and not line.cells:
        return None, line.problems
    named = {"user_name": line.cells["email"]} if "email" in line.cells else {}
    problems = list(line.problems)
    role = rules.roles.find(line.cells["role"]) if "role" in line.cells else None
    if role is None and "role" in line.cells:
        there_are = ", ".join(rules.roles.names)
        problems.append(f"role: there is no role {shown(line.cells['role'])}; there are {there_are}")
    try:
        fields = validated(schemas.MANUAL_USER, named | line.cells)
    except InvalidInput as error:
        # A userName that is not given is the address, of which the same is told.
        told = {"user_name"} - line.cells.keys() | {problem.partition(":")[0] for problem in line.problems}
        found = ((name, text) for name, texts in error.errors.items() for text in texts if name not in told)
        return None, problems + [f"{name}: {text}" for name, text in found]
    user_id = str(uuid.uuid4())
    try:
        user = canonical_user(manual_document(fields) | {"id": user_id}, RequestNotes())
    except ScimError as error:
        return None, [*problems, error.detail]
    if problems:
        return None, problems
    user = with_role(user, default_element(role.name) if role else None)
    effective = {"title": fields.get("title"), "organization": fields.get("organization")}
    row = user_columns(user, role_id=role.id if role else None, unique_user_name=rules.unique_user_name)
    changed = changed_attributes({"id": user_id}, user) + [name for name, value in effective.items() if value]
    held = role or rules.roles.default
    change = UserChange(CREATED, user_id, fields["email"], changed, held.name, user["active"])
    return _NewUser(row | effective | {"id": user_id}, change), []


def _repeated(claims: Sequence[_Claim], rules: _Rules) -> Iterator[tuple[int, str]]:
    """Yield what stands in an earlier line already."""
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
def _insert(
    rules: _Rules,
    users: Sequence[_NewUser],
    claims: Sequence[_Claim],
    problems: Sequence[tuple[int, str]],
    progress: Callable[[int], None],
) -> int:
    """Insert ``users`` with their entries in the feed, unless there are ``problems`` or others have what they claim.

    Everything is computed before, so that others wait for the writing alone.
    """
    with writing_in(rules.enterprise_id, changes_settings=False) as tenant:
        if _Rules(tenant.id, _roles_of(tenant), tenant.row.unique_user_name) != rules:
            raise Conflict("the enterprise's roles or settings were changed at this moment; import the file again")
        problems = [*problems, *_taken(tenant, claims)]
        if problems:
            raise InvalidFile(problems)
        at = clock.timestamp(clock.now())
        common = {"enterprise_id": tenant.id, "source": MANUAL, "version": 1, "revision": 1}
        common |= {"created_at": at, "modified_at": at, "changed_at": at}
        for batch in _batches(users):
            _execute_unique(tenant, [user.row | common for user in batch])
            progress(len(batch))
        # Last, as whoever writes to the feed keeps others from it to the end of the transaction.
        for batch in _batches(users):
            record_changes(tenant.connection, tenant.id, [user.change for user in batch], at=at)
    return len(users)


def _taken(tenant: Tenant, claims: Sequence[_Claim]) -> Iterator[tuple[int, str]]:
    """Yield what users who are there have already."""
    own = User.enterprise_id == tenant.id
    for batch in _batches(claims):
        wanted = User.email_key.in_([claim.email_key for claim in batch])
        taken = set(tenant.connection.execute(select(User.email_key).where(own, wanted)).scalars())
        yield from ((c.line, "email: a user has this address already") for c in batch if c.email_key in taken)
        if tenant.row.unique_user_name:
            wanted = User.unique_user_name_key.in_([claim.user_name_key for claim in batch])
            taken = set(tenant.connection.execute(select(User.user_name_key).where(own, wanted)).scalars())
            yield from ((c.line, "user_name: a user has this already") for c in batch if c.user_name_key in taken)


def _execute_unique(tenant: Tenant, rows: list[dict[str, Any]]) -> None:
    try:
        tenant.connection.execute(insert(User), rows)
    except IntegrityError:
        raise Conflict("one of these users was made by somebody else at this moment; import the file again") from None


def _roles_of(tenant: Tenant) -> EnterpriseRoles:
    return read_enterprise_roles(tenant.connection, tenant.id, tenant.row.name)


def _batches(members: Sequence[_Member]) -> Iterator[Sequence[_Member]]:
    for start in range(0, len(members), _BATCH):
        yield members[start : start + _BATCH]
