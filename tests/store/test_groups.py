"""Groups and their members in the database."""

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import select

from scimsvc.extensions import db
from scimsvc.models import Enterprise as EnterpriseTable
from scimsvc.models import Group
from scimsvc.store import group_members, user_groups
from scimsvc.store.engine.transactions import writing
from scimsvc.store.group_members import GroupMembers, MemberRow, UnknownMembers, list_members
from scimsvc.store.group_representations import StoredGroup, group_columns, represent_group
from scimsvc.store.groups import (
    GroupNameTaken,
    delete_group,
    find_group,
    list_groups_by_name,
    lock_group,
    update_group,
)
from scimsvc.store.id_lists import ids_parameter
from scimsvc.store.user_groups import LeftGroup, UserGroup, leave_groups, list_groups_of_users
from tests.support.apps import make_enterprise
from tests.support.client import Enterprise, user_body
from tests.support.groups import AT, GROUP_URN, LATER, group_document, memberships, store_group, store_users

FOREIGN = "99999999-0000-4000-8000-000000000000"


@contextmanager
def changing(enterprise: Enterprise, group: StoredGroup) -> Iterator[GroupMembers]:
    """Change the members of a group and store the counts."""
    enterprise_id = enterprise.made["id"]
    with enterprise.app.app_context(), writing() as connection:
        locked = lock_group(connection, enterprise_id, group.id)
        assert locked is not None
        members = GroupMembers(connection, enterprise_id, locked)
        yield members
        update_group(connection, enterprise_id, locked, None, members, at=LATER)


def stored(enterprise: Enterprise, group: StoredGroup) -> StoredGroup | None:
    with enterprise.app.app_context():
        return find_group(enterprise.made["id"], group.id)


@pytest.fixture
def users(acme: Enterprise) -> list[str]:
    return store_users(acme, 6)


def test_a_group_has_its_members_in_the_order_of_joining(acme: Enterprise, users: list[str]) -> None:
    order = [users[3], users[0], users[5]]
    group = store_group(acme, "Sales", order)

    with changing(acme, group) as members:
        members.add([users[1], users[3], users[2], users[1]])

    assert (members.added, members.removed, members.count) == ([users[1], users[2]], [], 5)
    assert memberships(acme) == {group.id: [*order, users[1], users[2]]}
    assert stored(acme, group) == group._replace(version=2, members=5, modified_at=LATER)


def test_removal_deletes_only_the_present(acme: Enterprise, users: list[str]) -> None:
    group = store_group(acme, "Sales", users[:4])

    with changing(acme, group) as members:
        members.remove([users[2], users[5], FOREIGN, users[0]])

    assert (members.added, members.removed, members.count) == ([], [users[2], users[0]], 2)
    assert memberships(acme) == {group.id: [users[1], users[3]]}


def test_replacement_keeps_the_order_of_those_who_stay(acme: Enterprise, users: list[str]) -> None:
    group = store_group(acme, "Sales", users[:4])

    with changing(acme, group) as members:
        members.replace([users[5], users[3], users[1]])

    assert (members.added, members.removed, members.count) == ([users[5]], [users[0], users[2]], 3)
    assert memberships(acme) == {group.id: [users[1], users[3], users[5]]}


def test_all_members_can_be_removed(acme: Enterprise, users: list[str]) -> None:
    group = store_group(acme, "Sales", users)

    with changing(acme, group) as members:
        members.remove_all()

    assert (sorted(members.removed), members.count) == (users, 0)
    assert memberships(acme) == {}


def test_the_difference_leaves_out_what_is_undone(acme: Enterprise, users: list[str]) -> None:
    group = store_group(acme, "Sales", users[:2])

    with changing(acme, group) as members:
        members.remove_all()
        members.add([users[1], users[2], users[3]])
        members.remove([users[3]])

    assert (members.added, members.removed, members.count) == ([users[2]], [users[0]], 2)
    assert members.is_changed
    assert memberships(acme) == {group.id: [users[1], users[2]]}


def test_a_repeated_change_changes_nothing(acme: Enterprise, users: list[str]) -> None:
    group = store_group(acme, "Sales", users[:2])

    with changing(acme, group) as members:
        members.add(users[:2])
        members.remove([users[4]])
        members.replace(reversed(users[:2]))

    assert not members.is_changed
    assert memberships(acme) == {group.id: users[:2]}


@pytest.mark.requirement("R2")
def test_unknown_and_foreign_users_are_named_and_nothing_is_kept(acme: Enterprise, users: list[str]) -> None:
    other = make_enterprise(acme.app, "Other")
    foreign = other.create()["id"]
    group = store_group(acme, "Sales", users[:1])

    with pytest.raises(UnknownMembers) as raised, changing(acme, group) as members:
        members.add([users[1], foreign, users[0], FOREIGN])

    assert raised.value.ids == [foreign, FOREIGN]
    assert memberships(acme) == {group.id: users[:1]}
    assert stored(acme, group) == group


def test_a_group_of_another_enterprise_does_not_exist(acme: Enterprise, users: list[str]) -> None:
    other = make_enterprise(acme.app, "Other")
    group = store_group(acme, "Sales", users)
    same = store_group(other, "Sales")

    assert stored(other, group) is None
    with acme.app.app_context(), writing() as connection:
        assert lock_group(connection, other.made["id"], group.id) is None
        assert list_members(other.made["id"], group.id, connection=connection) == []
        assert list_groups_of_users(connection, other.made["id"], users) == []
    with acme.app.app_context():
        assert [each.id for each in list_groups_by_name(other.made["id"], "sales", limit=9)] == [same.id]


def test_a_name_is_unique_only_if_the_enterprise_requires_it(acme: Enterprise) -> None:
    group = store_group(acme, "Straße")

    with pytest.raises(GroupNameTaken):
        store_group(acme, "STRASSE")
    duplicate = store_group(acme, "STRASSE", unique=False)

    with acme.app.app_context():
        found = list_groups_by_name(acme.made["id"], "strasse", limit=9)
    assert sorted(each.id for each in found) == sorted([group.id, duplicate.id])


def test_a_renamed_group_cannot_take_the_name_of_another(acme: Enterprise) -> None:
    store_group(acme, "Sales")
    group = store_group(acme, "Support", externalId="x1")

    def rename(name: str) -> StoredGroup:
        columns = group_columns(group_document(name, group.id), unique_group_name=True)
        with acme.app.app_context(), writing() as connection:
            locked = lock_group(connection, acme.made["id"], group.id)
            assert locked is not None
            return update_group(connection, acme.made["id"], locked, columns, at=LATER)

    with pytest.raises(GroupNameTaken):
        rename("SALES")
    renamed = rename("Help")

    assert stored(acme, group) == renamed
    assert renamed.version == 2
    with acme.app.app_context(), db.engine.connect() as connection:
        row = connection.execute(select(Group.__table__).where(Group.id == group.id)).mappings().one()
    expected = group_columns(group_document("Help", group.id), unique_group_name=True)
    assert {name: row[name] for name in expected} == expected


def test_a_deleted_group_leaves_its_users_and_frees_its_name(acme: Enterprise, users: list[str]) -> None:
    group = store_group(acme, "Sales", users)

    with acme.app.app_context(), writing() as connection:
        delete_group(connection, acme.made["id"], group.id)

    assert memberships(acme) == {}
    assert acme.get({"id": users[0]})["id"] == users[0]
    assert store_group(acme, "Sales").members == 0


def test_members_are_read_in_pages_with_the_names_of_users(acme: Enterprise) -> None:
    first = acme.create(**user_body("a@x.example", displayName="Ann ß"))["id"]
    second = acme.create(**user_body("b@x.example", userName="Bob"))["id"]
    group = store_group(acme, "Sales", [second, first])
    enterprise_id = acme.made["id"]

    with acme.app.app_context():
        everyone = list_members(enterprise_id, group.id)
        page = list_members(enterprise_id, group.id, after=1, limit=1)

    assert everyone == [MemberRow(1, second, "Bob"), MemberRow(2, first, "Ann ß")]
    assert page == everyone[1:]


def test_a_representation_is_the_document_with_members_and_meta(acme: Enterprise) -> None:
    user_id = acme.create(displayName='Ann "A"')["id"]
    group = store_group(acme, 'A "B"', [user_id], externalId="x")
    with acme.app.app_context():
        members = list_members(acme.made["id"], group.id)

    shown = represent_group(group, "https://x/scim", members)

    assert json.loads(shown.text) == {
        "schemas": [GROUP_URN],
        "id": group.id,
        "externalId": "x",
        "displayName": 'A "B"',
        "members": [
            {"value": user_id, "type": "User", "$ref": f"https://x/scim/Users/{user_id}", "display": 'Ann "A"'}
        ],
        "meta": {
            "resourceType": "Group",
            "created": AT,
            "lastModified": AT,
            "location": f"https://x/scim/Groups/{group.id}",
            "version": f'W/"1-{AT[8:23]}"',
        },
    }
    assert shown[2:] == (f"https://x/scim/Groups/{group.id}", f'W/"1-{AT[8:23]}"')
    assert json.loads(represent_group(group, "b", []).text)["members"] == []
    assert "members" not in json.loads(represent_group(group, "b", None).text)


def test_the_groups_of_users_are_found(acme: Enterprise, users: list[str]) -> None:
    first, second = store_group(acme, "A", users[:2]), store_group(acme, "B", users[1:3])
    of_first = [UserGroup(user, first.id, "A") for user in users[:2]]
    of_second = [UserGroup(user, second.id, "B") for user in users[1:3]]

    with acme.app.app_context(), writing() as connection:
        found = list_groups_of_users(connection, acme.made["id"], users)
        one = list_groups_of_users(connection, acme.made["id"], users[:1])
        none = list_groups_of_users(connection, acme.made["id"], [users[5]])

    assert found == sorted([*of_first, *of_second])
    assert one == of_first[:1]
    assert none == []


def test_a_user_who_leaves_all_groups_moves_their_versions_and_counts(acme: Enterprise, users: list[str]) -> None:
    left = [store_group(acme, "A", users[:2]), store_group(acme, "B", users[1:3])]
    kept = store_group(acme, "C", users[2:])

    with acme.app.app_context(), writing() as connection:
        found = leave_groups(connection, acme.made["id"], users[1], at=LATER)

    assert found == sorted([LeftGroup(left[0].id, "A"), LeftGroup(left[1].id, "B")])
    assert [stored(acme, each) for each in left] == [
        each._replace(version=2, members=1, modified_at=LATER) for each in left
    ]
    assert stored(acme, kept) == kept


def test_the_first_group_marks_the_enterprise(acme: Enterprise) -> None:
    def marked() -> list[bool]:
        with acme.app.app_context(), db.engine.connect() as connection:
            return list(connection.execute(select(EnterpriseTable.has_groups)).scalars())

    before = marked()
    store_group(acme, "A")

    assert (before, marked()) == ([False], [True])


def test_random_changes_agree_with_sets(acme: Enterprise, users: list[str]) -> None:
    chance = random.Random(7)
    group, expected = store_group(acme, "A"), dict[str, None]()

    for _ in range(30):
        some = chance.sample(users, chance.randint(0, 4))
        kind = chance.choice(["add", "remove", "replace", "remove_all"])
        with changing(acme, group) as members:
            getattr(members, kind)(*([] if kind == "remove_all" else [some]))
        before = list(expected)
        if kind == "add":
            expected |= dict.fromkeys(some)
        else:
            kept = {"remove": set(before) - set(some), "replace": set(some), "remove_all": set()}[kind]
            expected = dict.fromkeys([each for each in before if each in kept])
            expected |= dict.fromkeys(some if kind == "replace" else [])

        assert memberships(acme).get(group.id, []) == list(expected)
        assert members.count == len(expected)
        assert set(members.added) == set(expected) - set(before)
        assert set(members.removed) == set(before) - set(expected)


def test_sqlite_finds_members_by_index(acme: Enterprise) -> None:
    def plan(query: Any) -> list[str]:
        prepared = query.prepared_for(connection.dialect)
        text = ids_parameter(["a", "b"])
        names = {"in_enterprise": "e", "of_group": "g", "after": 0, "limit": 9, "ids": text, "enterprise_id": "e"}
        values = prepared.values(names | {"user_id": "u", "at": "t"})
        return [row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {prepared.text}", tuple(values))]

    with acme.app.app_context(), db.engine.connect() as connection:
        if connection.dialect.name != "sqlite":
            pytest.skip("PostgreSQL knows the sizes and decides by them")
        by_user = "INDEX group_members_user (enterprise_id=? AND user_id=? AND group_id>? AND group_id<?)"
        add = plan(group_members.ADD["sqlite"])
        remove = plan(group_members.REMOVE["sqlite"])
        listed = plan(group_members.MEMBERS["sqlite"])
        groups = plan(user_groups.GROUPS_OF_USERS["sqlite"])
        leave = plan(user_groups.LEAVE)

    assert any(step.endswith(by_user) for step in add), add
    assert any(step.endswith(by_user) for step in remove), remove
    assert any("group_members USING PRIMARY KEY (enterprise_id=? AND group_id=? AND position=?)" in s for s in remove)
    assert any("group_members USING PRIMARY KEY (enterprise_id=? AND group_id=? AND position>?)" in s for s in listed)
    assert any("group_members_user (enterprise_id=? AND user_id=?)" in step for step in groups), groups
    assert any("group_members_user (enterprise_id=? AND user_id=?)" in step for step in leave), leave
    for step in (*add, *remove, *listed, *groups, *leave):
        assert not step.startswith("SCAN g"), step
        assert not step.startswith("SCAN u"), step
