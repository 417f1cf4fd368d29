"""The removal limit that the operator set: the enterprise can lower it, but not raise, remove or release it."""

from collections.abc import Mapping
from typing import Any

from scimsvc.errors import NotAllowed
from scimsvc.store.enterprises import EnterpriseRow


def cap_columns(limit: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the columns of a limit that the operator sets, or removes with None."""
    return {f"removal_cap_{name}": limit[name] if limit is not None else None for name in ("users", "percent", "hours")}


def describe_cap(row: EnterpriseRow) -> dict[str, int | None] | None:
    """Return the operator's limit in the form of the enterprise API, or None if the operator set no limit."""
    if row.removal_cap_hours is None:
        return None
    return {"users": row.removal_cap_users, "percent": row.removal_cap_percent, "hours": row.removal_cap_hours}


def refuse_raised_limit(row: EnterpriseRow, limit: Mapping[str, Any] | None) -> None:
    """Raise ``NotAllowed`` if ``limit`` would let SCIM remove more users than the operator allows."""
    cap = describe_cap(row)
    if cap is None:
        return
    if limit is None or limit["hours"] < cap["hours"] or any(_exceeds(limit[n], cap[n]) for n in ("users", "percent")):
        problem = f"At most {describe_in_words(cap)}"
        raise NotAllowed(
            f"The operator of this service limits removals in {row.name} to {describe_in_words(cap)}. "
            "Set a limit that is not higher, or ask the operator to change it.",
            {"removal_limit": [problem]},
        )


def refuse_release(row: EnterpriseRow) -> None:
    """Raise ``NotAllowed`` if the operator set the limit. Only the operator can release it."""
    if row.removal_cap_hours is not None:
        raise NotAllowed(
            f"The operator of this service set the removal limit of {row.name}. Ask the operator to allow the removals."
        )


def _exceeds(number: int | None, cap: int | None) -> bool:
    return cap is not None and (number is None or number > cap)


def describe_in_words(limit: Mapping[str, int | None]) -> str:
    """Return ``limit`` in words: 10 users or 5 percent within 24 hours."""
    amounts = [(limit["users"], "user", "users"), (limit["percent"], "percent", "percent")]
    shown = [f"{number} {one if number == 1 else many}" for number, one, many in amounts if number is not None]
    return f"{' or '.join(shown)} within {limit['hours']} {'hour' if limit['hours'] == 1 else 'hours'}"
