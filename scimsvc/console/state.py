"""The state of a request to the console: the administrator, the enterprise, and a refused form."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scimsvc.web.state import request_state

if TYPE_CHECKING:
    from scimsvc.console.forms import Form
    from scimsvc.enterprises.admins import Admin
    from scimsvc.enterprises.sessions import Session


@dataclass(slots=True)
class ConsoleState:
    """The state of a request to the console."""

    admin: "Admin | None" = None
    session: "Session | None" = None
    #: The enterprise ID in the path, before access is checked.
    requested_enterprise_id: str | None = None
    enterprise: dict[str, Any] | None = None
    #: The name of the enterprise's identity provider, after it is read.
    provider_name: str | None = None
    #: The refused form, to show again.
    form: "Form | None" = None
    #: Whether the request was refused because the password must be confirmed.
    needs_password: bool = False


def console_state() -> ConsoleState:
    """Return the console state of the current request."""
    state = request_state()
    if not isinstance(state.feature, ConsoleState):
        state.feature = ConsoleState()
    return state.feature
