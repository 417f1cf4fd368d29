"""The client ``scim2-client``."""

from collections.abc import Iterator
from typing import Any

from tests.support.foreign_clients.drivers import Refused, Seen


class Scim2Client:
    """``scim2-client``, whose models come from the service's discovery."""

    def __init__(self, tenant_url: str, token: str) -> None:
        from httpx2 import Client
        from scim2_client.engines.httpx2 import SyncSCIMClient

        self._http = Client(base_url=tenant_url, headers={"Authorization": f"Bearer {token}"}, timeout=30)
        self._scim = SyncSCIMClient(self._http)
        self._scim.discover()
        self._model: Any = self._scim.get_resource_model("User")
        self._group: Any = self._scim.get_resource_model("Group")

    def create(self, email: str, display_name: str) -> str:
        emails = [{"value": email, "type": "work", "primary": True}]
        user = self._model(user_name=email, emails=emails, display_name=display_name, active=True)
        return str(self._call(self._scim.create, user).id)

    def match(self, email: str) -> list[str]:
        filter_ = f'emails[type eq "work"].value eq "{email}"'
        found = self._call(self._scim.query, self._model, query_parameters={"filter": filter_})
        return [user.id for user in found.resources or []]

    def read(self, user: str) -> Seen:
        found = self._call(self._scim.query, self._model, user)
        return Seen(found.emails[0].value, found.display_name, found.active)

    def rename(self, user: str, display_name: str) -> None:
        found = self._call(self._scim.query, self._model, user)
        found.display_name = display_name
        self._call(self._scim.replace, found)

    def set_active(self, user: str, active: bool) -> None:
        from scim2_models import PatchOp

        operations = [{"op": "replace", "path": "active", "value": active}]
        model: Any = self._model
        self._call(self._scim.modify, model, user, PatchOp[model].model_validate({"Operations": operations}))

    def delete(self, user: str) -> None:
        self._call(self._scim.delete, self._model, user)

    def walk_by_index(self, count: int) -> Iterator[str]:
        """Yield the IDs of all users, page by page."""
        start, total = 1, 1
        while start <= total:
            query = {"startIndex": start, "count": count, "sortBy": "userName"}
            page = self._call(self._scim.query, self._model, query_parameters=query)
            yield from (user.id for user in page.resources)
            start, total = start + len(page.resources), page.total_results

    def walk_by_cursor(self, count: int) -> Iterator[str]:
        """Yield the IDs of all users along the cursors of RFC 9865."""
        cursor: str | None = ""
        while cursor is not None:
            query = {"cursor": cursor, "count": count}
            page = self._call(self._scim.query, self._model, query_parameters=query)
            yield from (user.id for user in page.resources)
            cursor = page.next_cursor

    def create_group(self, name: str, members: list[str]) -> str:
        group = self._group(display_name=name, members=[{"value": user} for user in members])
        return str(self._call(self._scim.create, group).id)

    def members(self, group: str) -> list[str]:
        found = self._call(self._scim.query, self._group, group)
        return [member.value for member in found.members or []]

    def change_members(self, group: str, *, add: list[str], remove: list[str]) -> None:
        operations: list[dict[str, Any]] = [{"op": "remove", "path": f'members[value eq "{user}"]'} for user in remove]
        operations.append({"op": "add", "path": "members", "value": [{"value": user} for user in add]})
        self._patch_group(group, *operations)

    def rename_group(self, group: str, name: str) -> None:
        self._patch_group(group, {"op": "replace", "path": "displayName", "value": name})

    def list_groups(self) -> list[tuple[str, str]]:
        found = self._call(self._scim.query, self._group)
        return [(group.id, group.display_name) for group in found.resources or []]

    def delete_group(self, group: str) -> None:
        self._call(self._scim.delete, self._group, group)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _patch_group(self, group: str, *operations: dict[str, Any]) -> None:
        from scim2_models import PatchOp

        model: Any = self._group
        self._call(self._scim.modify, model, group, PatchOp[model].model_validate({"Operations": list(operations)}))

    @staticmethod
    def _call(method: Any, *arguments: Any, **options: Any) -> Any:
        from scim2_models.exceptions import SCIMException

        try:
            return method(*arguments, **options)
        except SCIMException as error:
            raise Refused(error.status) from error
