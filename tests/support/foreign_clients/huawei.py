"""Huawei Cloud's kit."""

from typing import Any

from tests.support.foreign_clients.drivers import Refused, Seen
from tests.support.urns import GROUP_URN, PATCH_URN, USER_URN


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

    def create_group(self, name: str, members: list[str]) -> str:
        v1 = self._v1
        chosen = [v1.MemberItemDto(value=user) for user in members]
        body = v1.CreateGroupReqBody(schemas=[GROUP_URN], display_name=name, members=chosen)
        return str(self._call("create_group", v1.CreateGroupRequest, body=body).id)

    def members(self, group: str) -> list[str]:
        found = self._call("get_group", self._v1.GetGroupRequest, group_id=group)
        return [member.value for member in found.members or []]

    def change_members(self, group: str, *, add: list[str], remove: list[str]) -> None:
        self._patch_group(group, ("add", "members", [{"value": user} for user in add]),
                          ("remove", "members", [{"value": user} for user in remove]))  # fmt: skip

    def rename_group(self, group: str, name: str) -> None:
        self._patch_group(group, ("replace", "displayName", name))

    def list_groups(self) -> list[tuple[str, str]]:
        found = self._call("list_groups", self._v1.ListGroupsRequest).resources
        return [(group.id, group.display_name) for group in found]

    def delete_group(self, group: str) -> None:
        self._call("delete_group", self._v1.DeleteGroupRequest, group_id=group)

    def close(self) -> None:
        """Do nothing, because the kit closes its connections itself."""

    def _patch_group(self, group: str, *operations: tuple[str, str, Any]) -> None:
        made = [self._v1.OperationItemDto(op=op, path=path, value=value) for op, path, value in operations]
        body = self._v1.PatchGroupReqBody(schemas=[PATCH_URN], operations=made)
        self._call("patch_group", self._v1.PatchGroupRequest, group_id=group, body=body)

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
