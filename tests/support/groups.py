"""Groups in the database of a test, written by the store as requests do."""

import uuid
from collections.abc import Iterable
from typing import Any

from sqlalchemy import insert, select
from werkzeug.test import TestResponse

from scimsvc.extensions import db
from scimsvc.models import GroupMember, User
from scimsvc.store.engine.transactions import writing
from scimsvc.store.group_representations import StoredGroup, group_columns
from scimsvc.store.groups import insert_group, mark_groups
from tests.support.client import Enterprise, patch_body

AT = "2026-01-01T00:00:00.000Z"
LATER = "2026-02-02T00:00:00.000Z"
GROUP_URN = "urn:ietf:params:scim:schemas:core:2.0:Group"


def group_document(name: str, group_id: str, **attributes: Any) -> dict[str, Any]:
    """Return the document of a group."""
    return {"schemas": [GROUP_URN], "id": group_id, **attributes, "displayName": name}


def store_group(
    enterprise: Enterprise, name: str, user_ids: Iterable[str] = (), *, unique: bool = True, **attributes: Any
) -> StoredGroup:
    """Store a group with members and return it."""
    group_id = str(uuid.uuid4())
    columns = group_columns(group_document(name, group_id, **attributes), unique_group_name=unique)
    with enterprise.app.app_context():
        mark_groups(enterprise.made["id"])
        with writing() as connection:
            group, _ = insert_group(connection, enterprise.made["id"], group_id, columns, user_ids, at=AT)
    return group


def store_users(enterprise: Enterprise, number: int) -> list[str]:
    """Store copies of one user in bulk, and return their IDs in order."""
    address = "template@x.example"
    template = enterprise.create(email=address)
    ids = [f"{position:08x}-0000-4000-8000-000000000000" for position in range(number)]
    with enterprise.app.app_context(), writing() as connection:
        row = dict(connection.execute(select(User.__table__).where(User.id == template["id"])).mappings().one())
        connection.execute(
            insert(User),
            [
                row
                | {
                    "id": each,
                    "email_key": f"{each}@x.example",
                    "document": row["document"].replace(template["id"], each).replace(address, f"{each}@x.example"),
                }
                for each in ids
            ],
        )
    return ids


def memberships(enterprise: Enterprise) -> dict[str, list[str]]:
    """Return the IDs of the members of each group in the database, in the order of joining."""
    with enterprise.app.app_context(), db.engine.connect() as connection:
        statement = select(GroupMember.group_id, GroupMember.user_id).order_by(GroupMember.position)
        found: dict[str, list[str]] = {}
        for group_id, user_id in connection.execute(statement):
            found.setdefault(group_id, []).append(user_id)
    return found


class ScimGroups:
    """Changes groups through SCIM."""

    def __init__(self, enterprise: Enterprise) -> None:
        self.enterprise = enterprise

    def create(self, name: str, user_ids: Iterable[str] = (), **attributes: Any) -> str:
        """Create a group with members and return its ID."""
        members = [{"value": user_id} for user_id in user_ids]
        body = {"schemas": [GROUP_URN], "displayName": name, "members": members, **attributes}
        answer = self.enterprise.send("POST", "/Groups", body)
        assert answer.status_code == 201, answer.text
        return str(answer.get_json()["id"])

    def send(self, group_id: str, *operations: dict[str, Any]) -> TestResponse:
        """Send a PATCH."""
        return self.enterprise.send("PATCH", f"/Groups/{group_id}", patch_body(*operations))

    def change(self, group_id: str, *, add: Iterable[str] = (), remove: Iterable[str] = ()) -> None:
        """Add members, and then remove members."""
        sides = (("add", add), ("remove", remove))
        operations = [
            {"op": op, "path": "members", "value": [{"value": user_id} for user_id in user_ids]}
            for op, user_ids in sides
            if user_ids
        ]
        answer = self.send(group_id, *operations)
        assert answer.status_code == 204, answer.text

    def rename(self, group_id: str, name: str) -> None:
        """Rename a group."""
        assert self.send(group_id, {"op": "replace", "path": "displayName", "value": name}).status_code == 204

    def delete(self, group_id: str) -> TestResponse:
        """Delete a group."""
        return self.enterprise.send("DELETE", f"/Groups/{group_id}")
