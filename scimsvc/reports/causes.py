"""Explain refusals: a title for each cause, advice, and remedies."""

import json
from dataclasses import dataclass
from typing import Any

from scimsvc.activity.log_reading import represent_entry
from scimsvc.reports.cause_words import BY_STATUS, ON_HOLD, OTHER, SHORT_LABELS, UPDATE_WORDS, WORDS, Action, Words
from scimsvc.schemas.limits import MAX_NAME_LENGTH
from scimsvc.store.log import LogRow
from scimsvc.vocabulary import PATCH, REFUSED, REPLACE
from scimsvc.web.providers import is_for_entra, spoken_name


@dataclass(frozen=True, slots=True)
class Remedy:
    """A button that fixes a refusal: its action, its label, and the role value or user that it is about."""

    action: Action
    text: str
    value: str | None = None

    @property
    def short(self) -> str:
        """The label in a row of a table."""
        return SHORT_LABELS[self.action]


#: The most characters of a text of an entry on a page, which would otherwise be as long as the client wants.
LONGEST_SHOWN = 512


def explain_entry(row: LogRow, provider: str | None = None) -> dict[str, Any]:
    """Return an entry of the log with its ``effect``, and as ``why`` the explanation of a refusal, or None.

    ``differences`` has the name, the old and the new value of the most important attributes that changed.

    ``provider`` is the identity provider of the client.
    """
    about = row.email or row.user_id
    why = explain_refusal(row, email=about, provider=provider) if row.outcome == REFUSED else None
    differences = json.loads(row.differences) if row.differences else []
    return represent_entry(row) | {"effect": row.effect, "why": why, "differences": differences}


def explain_refusal(row: LogRow, *, email: str | None, provider: str | None = None) -> dict[str, Any]:
    """Return ``explain_cause`` for a refused entry about the user with the address ``email``."""
    return explain_cause(
        row.cause,
        row.status,
        operation=row.operation,
        value=row.role_value,
        email=email,
        holder_id=row.holder_id,
        provider=provider,
    )


def explain_cause(
    cause: str | None,
    status: int,
    *,
    operation: str | None = None,
    value: str | None = None,
    email: str | None = None,
    holder_id: str | None = None,
    provider: str | None = None,
) -> dict[str, Any]:
    """Return the title, the advice and the remedies for a cause or, without a cause, for a status.

    ``operation`` is the refused operation, ``value`` the role value, ``email`` the address of the user concerned,
    ``holder_id`` the ID of the user or group that has the wanted value, and ``provider`` the identity provider of the
    client. A value that is too long for a role has no remedies.
    """
    words = _words_for(cause, status, operation)
    advice = words.advice if is_for_entra(provider) else words.elsewhere or words.advice
    name = spoken_name(provider)
    names = {"provider": name, "Provider": name[:1].upper() + name[1:]}
    values = {Action.SHOW_USER: email, Action.SHOW_HOLDER: holder_id, Action.SHOW_HOLDING_GROUP: holder_id}
    return {
        "cause": str(cause or status),
        "title": words.title.format(value=value, **names),
        "advice": advice.format(**names),
        "remedies": [
            Remedy(action, text.format(value=value), values.get(action, value))
            for action, text in words.remedies
            if (values[action] if action in values else len(value or "") <= MAX_NAME_LENGTH)
        ],
    }


def has_update_words(cause: str | None, operation: str | None) -> bool:
    """Return whether the cause has other words, because the refused operation is an update."""
    return operation in (PATCH, REPLACE) and cause in UPDATE_WORDS


def _words_for(cause: str | None, status: int, operation: str | None) -> Words:
    if cause is not None and has_update_words(cause, operation):
        return UPDATE_WORDS[cause]
    return WORDS.get(cause or "") or BY_STATUS.get(status, OTHER)


def is_on_hold(cause: str | None, status: int) -> bool:
    """Return whether the provider's retry succeeds without a correction of the data."""
    return cause in ON_HOLD or (cause is None and status == _UNAVAILABLE)


_UNAVAILABLE = 503
