"""Refuse the requests of an enterprise that the operator suspended (contract section 2, ``enterprise suspend``)."""

from scimsvc.protocol.errors import Forbidden
from scimsvc.protocol.reasons import Reason
from scimsvc.web.state import Caller


def describe_suspension(enterprise: str, reason: str) -> str:
    """Return the detail of a refusal. ``reason`` is the operator's text, which may be empty."""
    said = f" The reason is: {reason.rstrip('.')}." if reason else ""
    return f"The operator of this service suspended {enterprise}.{said} Contact the operator to reactivate it."


def refuse_while_suspended(caller: Caller) -> None:
    """Raise ``Forbidden`` if the caller's enterprise is suspended."""
    if caller.settings.suspension is not None:
        raise Forbidden(describe_suspension(caller.enterprise, caller.settings.suspension), reason=Reason.SUSPENDED)
