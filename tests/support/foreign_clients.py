"""SCIM clients that other projects published, behind one interface.

The drivers import their clients, because an import takes up to a second, which otherwise every process would spend.
Each driver calls its client in the way that the client's documentation shows.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol
from urllib.error import HTTPError

from tests.support.urns import PATCH_URN, USER_URN


class Refused(Exception):
    """The service refused a request with ``status``."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Seen(NamedTuple):
    """The attributes of a user that a client shows."""

    email: str
    display_name: str
    active: bool


class Driver(Protocol):
    """A client that manages users. Each method raises ``Refused`` for an error of the service."""

    def create(self, email: str, display_name: str) -> str:
        """Create a user and return its ID."""

    def match(self, email: str) -> list[str]:
        """Return the IDs of the users with this address."""

    def read(self, user: str) -> Seen:
        """Return the user."""

    def rename(self, user: str, display_name: str) -> None:
        """Change the name that is shown."""

    def set_active(self, user: str, active: bool) -> None:
        """Disable or enable the user."""

    def delete(self, user: str) -> None:
        """Delete the user."""


class Scim2Client:
    """``scim2-client``, whose models come from the service's discovery."""

    def __init__(self, tenant_url: str, token: str) -> None:
        from httpx2 import Client
        from scim2_client.engines.httpx2 import SyncSCIMClient

        self._http = Client(base_url=tenant_url, headers={"Authorization": f"Bearer {token}"}, timeout=30)
        self._scim = SyncSCIMClient(self._http)
        self._scim.discover()
        self._model: Any = self._scim.get_resource_model("User")

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

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    @staticmethod
    def _call(method: Any, *arguments: Any, **options: Any) -> Any:
        from scim2_models.exceptions import SCIMException

        try:
            return method(*arguments, **options)
        except SCIMException as error:
            raise Refused(error.status) from error


class ScimClient:
    """``scim-client``, which changes users by PUT only."""

    def __init__(self, tenant_url: str, token: str) -> None:
        from scim_client import SCIMClient

        self._scim = SCIMClient(tenant_url, token)

    def create(self, email: str, display_name: str) -> str:
        from scim_client import User

        name = {"given_name": "Test", "family_name": "User"}
        emails = [{"value": email, "type": "work", "primary": True}]
        user = User(id=None, external_id=f"of {email}", user_name=email, active=True, name=name, emails=emails,
                    display_name=display_name)  # fmt: skip
        return str(self._call(self._scim.create_user, user).id)

    def match(self, email: str) -> list[str]:
        found = self._call(self._scim.search_users, f'emails[type eq "work"].value eq "{email}"')
        return [user.id for user in found.resources]

    def read(self, user: str) -> Seen:
        found = self._call(self._scim.read_user, user)
        return Seen(found.emails[0].value, found.display_name, found.active)

    def rename(self, user: str, display_name: str) -> None:
        self._change(user, display_name=display_name)

    def set_active(self, user: str, active: bool) -> None:
        self._change(user, active=active)

    def delete(self, user: str) -> None:
        self._call(self._scim.delete_user, user)

    def walk_by_index(self, count: int) -> Iterator[str]:
        """Yield the IDs of all users, page by page."""
        start, total = 1, 1
        while start <= total:
            page = self._call(self._scim.search_users, "", count=count, start_index=start)
            yield from (user.id for user in page.resources)
            start, total = start + len(page.resources), page.total_results

    def close(self) -> None:
        """Do nothing, because the client opens a connection for each request."""

    def _change(self, user: str, **attributes: Any) -> None:
        found = self._call(self._scim.read_user, user)
        for name, value in attributes.items():
            setattr(found, name, value)
        self._call(self._scim.update_user, found)

    @staticmethod
    def _call(method: Any, *arguments: Any, **options: Any) -> Any:
        try:
            return method(*arguments, **options)
        except HTTPError as error:
            error.close()
            raise Refused(error.code) from error


class HuaweiKit:
    """Huawei Cloud's kit for its Identity Center, which lists without a filter and patches by path."""

    def __init__(self, tenant_url: str, token: str) -> None:
        from huaweicloudsdkidentitycenterscim import v1
        from huaweicloudsdkidentitycenterscim.v1.identitycenterscim_credentials import IdentityCenterSCIMCredentials

        endpoint = tenant_url.removesuffix("/api/scim/v2")
        builder = v1.IdentityCenterSCIMClient.new_builder().with_credentials(IdentityCenterSCIMCredentials())
        self._v1: Any = v1
        self._scim: Any = builder.with_endpoint(endpoint).build()
        # The kit puts the tenant where this service has /api.
        self._caller = {"authorization": f"Bearer {token}", "tenant_id": "api"}

    def create(self, email: str, display_name: str) -> str:
        v1 = self._v1
        body = v1.CreateUserReqBody(
            schemas=[USER_URN],
            user_name=email,
            display_name=display_name,
            name=v1.NameDto(given_name="Test", family_name="User"),
            emails=[v1.EmailItemDto(value=email, type="work", primary="true")],
            active="true",
        )
        return str(self._call("create_user", v1.CreateUserRequest, body=body).id)

    def match(self, email: str) -> list[str]:
        listed = self._call("list_users", self._v1.ListUsersRequest).resources
        return [user.id for user in listed if user.emails[0].value.lower() == email.lower()]

    def read(self, user: str) -> Seen:
        found = self._call("get_user", self._v1.GetUserRequest, user_id=user)
        return Seen(found.emails[0].value, found.display_name, found.active)

    def rename(self, user: str, display_name: str) -> None:
        self._patch(user, "displayName", display_name)

    def set_active(self, user: str, active: bool) -> None:
        self._patch(user, "active", str(active).lower())

    def delete(self, user: str) -> None:
        self._call("delete_user", self._v1.DeleteUserRequest, user_id=user)

    def close(self) -> None:
        """Do nothing, because the kit closes its connections itself."""

    def _patch(self, user: str, path: str, value: str) -> None:
        operation = self._v1.OperationItemDto(op="replace", path=path, value=value)
        body = self._v1.PatchUserReqBody(schemas=[PATCH_URN], operations=[operation])
        self._call("patch_user", self._v1.PatchUserRequest, user_id=user, body=body)

    def _call(self, method: str, request: Any, **parts: Any) -> Any:
        from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException

        try:
            return getattr(self._scim, method)(request(**self._caller, **parts))
        except ClientRequestException as error:
            raise Refused(error.status_code) from error
