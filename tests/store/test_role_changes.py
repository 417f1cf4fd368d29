"""A change of a role is applied in SQL with the meaning that the rules in Python give it."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Row, select

from scimsvc.mapping.effective_values import effective_values
from scimsvc.models import Change, Role, User
from scimsvc.protocol.limits import DEFAULTS
from scimsvc.protocol.reading.tolerances import RequestNotes
from scimsvc.protocol.resources import canonical_resource
from scimsvc.protocol.users import USERS, work_address
from scimsvc.store.engine.transactions import writing
from scimsvc.store.representations import directory_values, read_document, user_columns
from scimsvc.store.role_changes import RoleChange, apply_role_change
from scimsvc.store.user_writes import NewUser, insert_users
from tests.support.client import Enterprise
from tests.support.long_runs import LONG
from tests.support.urns import ENTERPRISE_URN

#: Two times: of the users' last changes and of the change of the role.
BEFORE, AT = "2026-01-01T00:00:00.000Z", "2026-02-02T00:00:00.000Z"
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=4)
VALUE = st.none() | st.sampled_from(["Directory", "Own", "", 'a"b\\', "\x01\u2028ß"]) | TEXT
#: The Kelvin sign folds to "k".
WORK = st.sampled_from(["work", "Work", "WOR\u212a"])
OTHER_EMAILS = st.lists(
    st.fixed_dictionaries(
        {"value": st.sampled_from(["a@x.example", "not an address"])},
        optional={"type": st.sampled_from(["home", "works", "ｗork", 'w"']), "display": TEXT},
    ),
    max_size=3,
)


class Case(NamedTuple):
    """A user before a change of its role."""

    user: dict[str, Any]
    source: str
    on_default: bool
    title: str | None
    organization: str | None


@st.composite
def cases(draw: st.DrawFn) -> Case:
    local = draw(st.sampled_from(["Straße", "a'b", "ÀB", "x"]))
    work = [{"value": f"{local}{{}}@X.example", "type": draw(WORK)}]
    if draw(st.booleans()):  # the same address again, in another spelling
        work.append({"value": f"{local.lower()}{{}}@x.example", "type": draw(WORK), "display": "again"})
    emails = draw(st.permutations([*work, *draw(OTHER_EMAILS)]))
    if draw(st.booleans()) and draw(st.booleans()):  # no address of type work: an only one or the primary one counts
        other = {"value": f"{local}{{}}@X.example", "type": "other"}
        emails = draw(
            st.sampled_from([[other], draw(st.permutations([other | {"primary": True}, *draw(OTHER_EMAILS)]))])
        )
    user: dict[str, Any] = {
        "userName": draw(TEXT),
        "active": draw(st.booleans()),
        "title": draw(VALUE),
        ENTERPRISE_URN: {"organization": draw(VALUE), "department": draw(VALUE)},
        "emails": emails,
    }
    source = draw(st.sampled_from(["provisioned", "manual"]))
    return Case(user, source, draw(st.booleans()), draw(VALUE), draw(VALUE))


CHANGES = st.builds(RoleChange, st.just("Old"), st.sampled_from(["Old", "New 'ß\""]), st.booleans())


class _RolledBack(Exception):
    """Ends a transaction without a commit."""


@contextmanager
def rolled_back(enterprise: Enterprise) -> Iterator[Connection]:
    """Open a transaction for writing that is rolled back at the end."""
    with suppress(_RolledBack), enterprise.app.app_context(), writing() as connection:
        yield connection
        raise _RolledBack


def insert(connection: Connection, enterprise_id: str, role_id: str, given: Sequence[Case]) -> None:
    users = []
    for number, case in enumerate(given):
        emails = [{**each, "value": each["value"].format(number)} for each in case.user["emails"]]
        user = canonical_resource(
            case.user | {"emails": emails, "id": f"{number % 3}-{number}"}, USERS, RequestNotes(DEFAULTS)
        )
        columns = user_columns(user, USERS, role_id=None if case.on_default else role_id, unique_user_name=False)
        users.append(NewUser(user["id"], columns, case.source, case.title, case.organization))
    insert_users(connection, enterprise_id, users, at=BEFORE)


def expected_values(row: Row[Any], change: RoleChange) -> tuple[str | None, str | None]:
    directory = directory_values(read_document(row))
    restricted = change.restricts and row.source == "provisioned"
    return effective_values(directory, directory, (row.title, row.organization), restricted=restricted)


def expected_entry(row: Row[Any], change: RoleChange) -> dict[str, Any] | None:
    values = zip(("title", "organization"), (row.title, row.organization), expected_values(row, change), strict=True)
    changed = [name for name, old, new in values if old != new] + ["roles"] * (change.new_name != change.old_name)
    if not changed:
        return None
    return {
        "time": AT, "type": "updated", "user_id": row.id, "email": work_address(read_document(row)),
        "changed": json.dumps(changed, separators=(",", ":")), "role": change.new_name, "old_role": change.old_name,
        "active": row.active, "old_active": row.active, "origin": "role", "group_id": None, "group_name": None,
        "members": None,
    }  # fmt: skip


def entries_after(connection: Connection, number: int) -> list[dict[str, Any]]:
    statement = select(Change.__table__).where(Change.number > number).order_by(Change.number)
    rows = [dict(row) for row in connection.execute(statement).mappings()]
    assert [row.pop("number") for row in rows] == list(range(number + 1, number + 1 + len(rows)))
    assert {row.pop("users") for row in rows} <= {1}
    assert len({row.pop("enterprise_id") for row in rows}) <= 1
    return rows


def stored(connection: Connection) -> list[Row[Any]]:
    return list(connection.execute(select(User.__table__).order_by(User.id)))


def expected_row(row: Row[Any], change: RoleChange, *, applies: bool) -> dict[str, Any]:
    if not applies or expected_entry(row, change) is None:
        return dict(row._mapping)
    title, organization = expected_values(row, change)
    new = {"title": title, "organization": organization, "revision": row.revision + 1, "changed_at": AT}
    return dict(row._mapping) | new


@pytest.fixture
def role_id(acme: Enterprise) -> str:
    """The ID of a role that only the generated users have. One more user has another role, and the feed an entry."""
    acme.create(email="other@other.example", roles=["PowerSigner"])
    with acme.app.app_context(), writing() as connection:
        return str(connection.execute(select(Role.id).where(Role.name == "User")).scalar_one())


@settings(max_examples=1000 if LONG else 50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given=st.lists(cases(), max_size=6), change=CHANGES, whose=st.sampled_from(["role", "default", "both"]))
def test_users_and_entries_are_those_of_the_rules_in_python(
    acme: Enterprise, role_id: str, given: list[Case], change: RoleChange, whose: str
) -> None:
    role_ids = [role_id] * (whose != "default") + [None] * (whose != "role")
    with rolled_back(acme) as connection:
        enterprise_id = acme.made["id"]
        insert(connection, enterprise_id, role_id, given)
        before = stored(connection)
        apply_role_change(connection, enterprise_id, role_ids, change, at=AT)

        concerned = [row for row in before if row.role_id in role_ids]
        entries = [expected_entry(row, change) for row in concerned]
        assert entries_after(connection, 1) == [entry for entry in entries if entry is not None]
        expected = [expected_row(row, change, applies=row.role_id in role_ids) for row in before]
        assert [dict(row._mapping) for row in stored(connection)] == expected
