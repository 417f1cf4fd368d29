"""What the console keeps of a request: who is signed in, the page's enterprise, and a form that was refused."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scimsvc.web.state import request_state

if TYPE_CHECKING:
    from scimsvc.console.forms import Form
    from scimsvc.enterprises.admins import Admin


@dataclass(slots=True)
class ConsoleState:
    """What is known of a request to the console by now."""

    admin: "Admin | None" = None
    #: The id in the path, before the enterprise was entered.
    requested_enterprise_id: str | None = None
    enterprise: dict[str, Any] | None = None
    #: The form that was refused and is shown again.
    form: "Form | None" = None


def console_state() -> ConsoleState:
    """Return the console's state of the request that is being answered."""
    state = request_state()
    if not isinstance(state.feature, ConsoleState):
        state.feature = ConsoleState()
    return state.feature
