"""The interface of a client."""

from typing import NamedTuple, Protocol


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


class GroupDriver(Driver, Protocol):
    """A client that also manages groups."""

    def create_group(self, name: str, members: list[str]) -> str:
        """Create a group and return its ID."""

    def members(self, group: str) -> list[str]:
        """Return the IDs of the members."""

    def change_members(self, group: str, *, add: list[str], remove: list[str]) -> None:
        """Add and remove members in one request."""

    def rename_group(self, group: str, name: str) -> None:
        """Change the name of the group."""

    def list_groups(self) -> list[tuple[str, str]]:
        """Return the IDs and names of all groups."""

    def delete_group(self, group: str) -> None:
        """Delete the group."""
