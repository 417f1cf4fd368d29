"""The answers about groups, which this service does not provision."""

from scimsvc.protocol.advice import Advice
from scimsvc.protocol.errors import NotFound, NotImplementedHere, quoted
from scimsvc.protocol.messages import list_response
from scimsvc.protocol.reasons import Reason


def empty_list() -> str:
    """Return an empty ListResponse: after a 404, Entra would quarantine a job whose group mapping is still enabled."""
    return list_response([], total=0, start_index=1)


def no_such_group(group_id: str) -> NotFound:
    """Return the error for reading a group."""
    return NotFound(f"Group {quoted(group_id)} does not exist. This service provisions users, not groups.")


def groups_not_implemented() -> NotImplementedHere:
    """Return the error for writing a group."""
    return NotImplementedHere(
        "This service provisions users, not groups.",
        advice=Advice(
            "In Entra, set the mapping 'Provision Microsoft Entra ID Groups' to 'Enabled: No'.",
            "Turn off the provisioning of groups in the identity provider.",
        ),
        reason=Reason.GROUPS,
    )
