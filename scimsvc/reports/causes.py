"""Refusals in words: what they were for, and what remedies there are."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from scimsvc.activity.log_reading import represent_entry
from scimsvc.protocol.reasons import Reason
from scimsvc.store.log import LogRow
from scimsvc.vocabulary import REFUSED


class Action(StrEnum):
    """Where a remedy is to be had; the console makes a link of it."""

    ADD_ALIAS = "add-alias"
    CREATE_ROLE = "create-role"
    SHOW_USER = "show-user"
    SET_UP = "set-up"
    SETTINGS = "settings"
    RESUME = "resume"
    RELEASE = "release"
    TOKENS = "tokens"
    INTEGRATIONS = "integrations"
    EXPLAIN = "explain"


@dataclass(frozen=True, slots=True)
class Remedy:
    """What mends a refusal: where, in words, and for which role value or user."""

    action: Action
    text: str
    value: str | None = None


@dataclass(frozen=True, slots=True)
class _Words:
    """What is said of a cause: in a line, what to do in Entra if anything, and the remedies here."""

    title: str
    advice: str = ""
    remedies: tuple[tuple[Action, str], ...] = ()


_WORDS: Mapping[str, _Words] = {
    Reason.UNKNOWN_ROLE: _Words(
        "No role is called “{value}”",
        "The app role’s value in Entra must be the name or an alias of a role here.",
        ((Action.ADD_ALIAS, "Add “{value}” as an alias"), (Action.CREATE_ROLE, "Create the role “{value}”")),
    ),
    Reason.SEVERAL_ROLES: _Words(
        "Several roles were sent, and a user holds one",
        "In Entra, map SingleAppRoleAssignment([appRoleAssignments]) and assign one app role to each person.",
        ((Action.SET_UP, "See the role expression"),),
    ),
    Reason.EMAIL_TAKEN: _Words(
        "Another user has the e-mail address",
        'In Entra, match on emails[type eq "work"].value; or free the address here.',
        ((Action.SHOW_USER, "See who has the address"),),
    ),
    Reason.USER_NAME_TAKEN: _Words(
        "Another user has the userName",
        "Map userName to something that no two people share, or let userNames repeat.",
        ((Action.SETTINGS, "Let userNames repeat"),),
    ),
    Reason.NO_EMAIL: _Words(
        "No work e-mail address was sent",
        'In Entra, map emails[type eq "work"].value to an attribute that every user has.',
        ((Action.SET_UP, "See the attribute mapping"),),
    ),
    Reason.SEVERAL_EMAILS: _Words(
        "Two different work e-mail addresses were sent",
        'In Entra, map emails[type eq "work"].value once.',
        ((Action.SET_UP, "See the attribute mapping"),),
    ),
    Reason.MALFORMED_EMAIL: _Words(
        "What was sent as the work e-mail address is none",
        "In Entra, correct the person’s address, or map another attribute.",
        ((Action.SET_UP, "See the attribute mapping"),),
    ),
    Reason.NO_USER_NAME: _Words(
        "No userName was sent",
        "In Entra, map userName to an attribute that every user has, such as displayName.",
        ((Action.SET_UP, "See the attribute mapping"),),
    ),
    Reason.UNKNOWN_ATTRIBUTE: _Words(
        "An attribute was sent that is in no schema",
        "Take the mapping out in Entra, or have unknown attributes ignored.",
        ((Action.SETTINGS, "Ignore unknown attributes"),),
    ),
    Reason.NO_SUCH_USER: _Words(
        "Entra means a user who is no longer here",
        "In Entra, restart the provisioning, so that the person is matched anew.",
    ),
    Reason.MANUAL_USER: _Words(
        "A user made by hand is not deleted by SCIM",
        "Delete the user here, or let Entra update the user first.",
        ((Action.SHOW_USER, "See the user"),),
    ),
    Reason.GROUPS: _Words(
        "Groups were sent, and only users are provisioned",
        "In Entra, set the mapping Provision Microsoft Entra ID Groups to Enabled: No.",
    ),
    Reason.PAUSED: _Words(
        "Provisioning is paused",
        "Entra sends again what was held back.",
        ((Action.RESUME, "Resume provisioning"),),
    ),
    Reason.REMOVAL_LIMIT: _Words(
        "The limit on removals holds this back",
        "Check the scope and the assignments in Entra. If so many removals are meant, let them through.",
        ((Action.RELEASE, "Release what is held back"), (Action.SETTINGS, "Change the limit")),
    ),
    Reason.SCIM_OFF: _Words(
        "Provisioning is switched off",
        "Everything that Entra sends is refused.",
        ((Action.SETTINGS, "Enable SCIM provisioning"),),
    ),
    Reason.TOKEN: _Words(
        "An access token was refused",
        "Issue a token, and put it into Entra’s Secret Token.",
        ((Action.TOKENS, "Issue a token"),),
    ),
    Reason.SECRET: _Words(
        "A wrong client secret was sent",
        "Rotate the secret, and put the new one where the old one is.",
        ((Action.INTEGRATIONS, "Rotate the secret"),),
    ),
    Reason.RATE_LIMIT: _Words("More requests came than are taken in a second", "Entra slows down by itself."),
}
_BY_STATUS: Mapping[int, _Words] = {
    404: _Words("There is nothing at the address that was asked", "Compare the Tenant URL in Entra."),
    405: _Words("The address does not take this kind of request", "Compare the Tenant URL in Entra."),
    409: _Words("The operation depends on another one that failed", "Mend that one first."),
    412: _Words("The user was changed meanwhile", "The client reads the user anew and tries again."),
    413: _Words("The request is larger than is taken", "The client has to send less at a time."),
    500: _Words("An internal error occurred", "The service’s own log tells more at the request ID."),
    503: _Words("The service could not write at that moment", "Entra sends it again."),
}
_OTHER = _Words(
    "The request could not be taken as it was sent",
    "The message says what would be right.",
    ((Action.EXPLAIN, "Explain a request"),),
)


def explain_entry(row: LogRow) -> dict[str, Any]:
    """Return an entry of the log with its ``effect`` and ``why``: what ``explain_cause`` says of a refusal, or None."""
    why = None
    if row.outcome == REFUSED:
        why = explain_cause(row.cause, row.status, value=row.role_value, email=row.email or row.user_id)
    return represent_entry(row) | {"effect": row.effect, "why": why}


def explain_cause(
    cause: str | None, status: int, *, value: str | None = None, email: str | None = None
) -> dict[str, Any]:
    """Return the title of a cause or, without one, of a status, with advice and remedies.

    ``value`` is the value of the role and ``email`` the address of the user that the refusal is about.
    """
    words = _WORDS.get(cause or "") or _BY_STATUS.get(status, _OTHER)
    return {
        "cause": str(cause or status),
        "title": words.title.format(value=value),
        "advice": words.advice,
        "remedies": [
            Remedy(action, text.format(value=value), email if action is Action.SHOW_USER else value)
            for action, text in words.remedies
            if action is not Action.SHOW_USER or email
        ],
    }
