"""The client ``scim-client``."""

from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError

from tests.support.foreign_clients.drivers import Refused, Seen


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
