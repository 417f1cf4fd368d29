"""Explain refusals: a title for each cause, advice, and remedies."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from scimsvc.activity.log_reading import represent_entry
from scimsvc.protocol.reasons import Reason
from scimsvc.schemas.limits import MAX_NAME_LENGTH
from scimsvc.store.log import LogRow
from scimsvc.vocabulary import PATCH, REFUSED, REPLACE
from scimsvc.web.providers import is_for_entra, spoken_name


class Action(StrEnum):
    """An action that fixes a refusal. The console links it to a page."""

    ADD_ALIAS = "add-alias"
    CREATE_ROLE = "create-role"
    SHOW_USER = "show-user"
    CONNECT = "connect"
    SETTINGS = "settings"
    RESUME = "resume"
    RELEASE = "release"
    TOKENS = "tokens"
    INTEGRATIONS = "integrations"
    EXPLAIN = "explain"


@dataclass(frozen=True, slots=True)
class Remedy:
    """A button that fixes a refusal: its action, its label, and the role value or user that it is about."""

    action: Action
    text: str
    value: str | None = None


@dataclass(frozen=True, slots=True)
class _Words:
    """The words for a cause: a title, advice, and the labels of remedies."""

    title: str
    advice: str = ""
    remedies: tuple[tuple[Action, str], ...] = ()
    #: The advice for other providers than Entra, if it differs.
    elsewhere: str = ""


#: ``{provider}`` and, at the beginning of a sentence, ``{Provider}`` are the name of the identity provider.
_WORDS: Mapping[str, _Words] = {
    Reason.UNKNOWN_ROLE: _Words(
        "Unknown role “{value}”",
        "The app role’s value in {provider} must be the name or an alias of a role in scimsvc.",
        ((Action.ADD_ALIAS, "Add “{value}” as an alias"), (Action.CREATE_ROLE, "Create the role “{value}”")),
        elsewhere="The value of a role in {provider} must be the name or an alias of a role in scimsvc.",
    ),
    Reason.SEVERAL_ROLES: _Words(
        "More than one role was sent",
        "In {provider}, map SingleAppRoleAssignment([appRoleAssignments]) and assign one app role to each user.",
        ((Action.CONNECT, "Show the role expression"),),
        elsewhere="In {provider}, send one role for each user, or mark one of them as primary.",
    ),
    Reason.EMAIL_TAKEN: _Words(
        "Another user already has the e-mail address",
        'In {provider}, match users on emails[type eq "work"].value, so that {provider} updates the user who has '
        "the address.",
        ((Action.SHOW_USER, "Show the user with this address"),),
    ),
    Reason.USER_NAME_TAKEN: _Words(
        "Another user already has the userName",
        "In {provider}, map userName to an attribute with unique values, or allow duplicate userNames in scimsvc.",
        ((Action.SETTINGS, "Allow duplicate userNames"),),
    ),
    Reason.NO_EMAIL: _Words(
        "No work e-mail address was sent",
        'In {provider}, map emails[type eq "work"].value to an attribute that every user has.',
        ((Action.CONNECT, "Show the attribute mapping"),),
    ),
    Reason.SEVERAL_EMAILS: _Words(
        "Two different work e-mail addresses were sent",
        'In {provider}, map emails[type eq "work"].value only once.',
        ((Action.CONNECT, "Show the attribute mapping"),),
    ),
    Reason.MALFORMED_EMAIL: _Words(
        "The work e-mail address is invalid",
        "In {provider}, correct the user’s address, or map another attribute.",
        ((Action.CONNECT, "Show the attribute mapping"),),
    ),
    Reason.NO_USER_NAME: _Words(
        "No userName was sent",
        "In {provider}, map userName to an attribute that every user has, such as displayName.",
        ((Action.CONNECT, "Show the attribute mapping"),),
        elsewhere="In {provider}, map userName to an attribute that every user has.",
    ),
    Reason.UNKNOWN_ATTRIBUTE: _Words(
        "Unknown attribute",
        "Remove the mapping in {provider}, or ignore unknown attributes in scimsvc.",
        ((Action.SETTINGS, "Ignore unknown attributes"),),
    ),
    Reason.NO_SUCH_USER: _Words(
        "The user no longer exists",
        "In {provider}, restart provisioning, so that {provider} matches the user again.",
        elsewhere="Let {provider} search for the user again, and create the user if the search returns none.",
    ),
    Reason.MANUAL_USER: _Words(
        "Manual users cannot be deleted through SCIM",
        "Delete the user in scimsvc, or let {provider} update the user first.",
        ((Action.SHOW_USER, "Show the user"),),
    ),
    Reason.GROUPS: _Words(
        "Groups were not supported",
        "An earlier version of this service refused the group. In {provider}, restart provisioning.",
    ),
    Reason.NO_GROUP_NAME: _Words(
        "A group without a name was sent",
        "In {provider}, map displayName of groups to an attribute that every group has.",
    ),
    Reason.GROUP_NAME_TAKEN: _Words(
        "Another group already has the name",
        "In {provider}, match groups on displayName, or allow duplicate names of groups in scimsvc.",
        ((Action.SETTINGS, "Allow duplicate names of groups"),),
    ),
    Reason.NO_SUCH_GROUP: _Words(
        "The group no longer exists",
        "In {provider}, restart provisioning, so that the group is matched again.",
    ),
    Reason.UNKNOWN_MEMBER: _Words(
        "A member is not a user here",
        "In {provider}, check that the member is in the scope of provisioning, and restart provisioning.",
    ),
    Reason.NESTED_GROUP: _Words(
        "A group was sent as a member of a group",
        "Only users can be members. In {provider}, assign the inner group itself.",
    ),
    Reason.PAUSED: _Words(
        "Provisioning is paused",
        "{Provider} retries the refused changes after you resume provisioning.",
        ((Action.RESUME, "Resume provisioning"),),
    ),
    Reason.REMOVAL_LIMIT: _Words(
        "Removal limit reached",
        "Check the scope and the assignments in {provider}. If the removals are intended, allow them.",
        ((Action.RELEASE, "Allow the removals"), (Action.SETTINGS, "Change the limit")),
    ),
    Reason.SCIM_OFF: _Words(
        "SCIM provisioning is off",
        "All requests from {provider} are refused until you enable it.",
        ((Action.SETTINGS, "Enable SCIM provisioning"),),
    ),
    Reason.SUSPENDED: _Words(
        "The enterprise is suspended",
        "The operator of this service suspended the enterprise. Contact the operator.",
    ),
    Reason.TOKEN: _Words(
        "An access token was refused",
        "Create a token, and enter it as the Secret Token in {provider}.",
        ((Action.TOKENS, "Create a token"),),
        elsewhere="Create a token, and enter it in {provider}.",
    ),
    Reason.SECRET: _Words(
        "A wrong client secret was sent",
        "Rotate the secret, and enter the new one in the client.",
        ((Action.INTEGRATIONS, "Rotate the secret"),),
    ),
    Reason.RATE_LIMIT: _Words("Rate limit exceeded", "No action is needed. {Provider} slows down automatically."),
    Reason.QUOTA: _Words(
        "A quota of this enterprise is reached",
        "Ask the operator of this service to raise the quota, or delete users who are no longer needed.",
    ),
}
#: Causes with different words for an update, because the refused user already exists.
_UPDATE_WORDS: Mapping[str, _Words] = {
    Reason.EMAIL_TAKEN: _Words(
        "Another user already has the e-mail address",
        "In {provider}, change one of the two addresses.",
        ((Action.SHOW_USER, "Show the refused user"),),
    ),
}
_COMPARE = "Compare the Tenant URL in {provider} with the one in scimsvc."
_BY_STATUS: Mapping[int, _Words] = {
    404: _Words("The requested address does not exist", _COMPARE),
    405: _Words("The address does not support this method", _COMPARE),
    409: _Words("The operation depends on a refused operation", "Fix that operation first."),
    412: _Words("Another request changed the user", "The client must read the user again and retry."),
    413: _Words("The request is too large", "The client must send less data in one request."),
    500: _Words("Internal error", "Search the service’s log for the request ID."),
    503: _Words("The service could not write", "No action is needed. {Provider} retries automatically."),
}
_OTHER = _Words(
    "The request was invalid",
    "See the error message for details.",
    ((Action.EXPLAIN, "Explain a request"),),
)


#: The most characters of a text of an entry on a page, which would otherwise be as long as the client wants.
LONGEST_SHOWN = 512


def explain_entry(row: LogRow, provider: str | None = None) -> dict[str, Any]:
    """Return an entry of the log with its ``effect``, and as ``why`` the explanation of a refusal, or None.

    ``provider`` is the identity provider of the client.
    """
    about = row.email or row.user_id
    why = explain_refusal(row, email=about, provider=provider) if row.outcome == REFUSED else None
    return represent_entry(row) | {"effect": row.effect, "why": why}


def explain_refusal(row: LogRow, *, email: str | None, provider: str | None = None) -> dict[str, Any]:
    """Return ``explain_cause`` for a refused entry about the user with the address ``email``."""
    return explain_cause(
        row.cause, row.status, operation=row.operation, value=row.role_value, email=email, provider=provider
    )


def explain_cause(
    cause: str | None,
    status: int,
    *,
    operation: str | None = None,
    value: str | None = None,
    email: str | None = None,
    provider: str | None = None,
) -> dict[str, Any]:
    """Return the title, the advice and the remedies for a cause or, without a cause, for a status.

    ``operation`` is the refused operation, ``value`` the role value, ``email`` the address of the user concerned,
    and ``provider`` the identity provider of the client. A value that is too long for a role has no remedies.
    """
    words = _words(cause or "", status, is_update=operation in (PATCH, REPLACE))
    advice = words.advice if is_for_entra(provider) else words.elsewhere or words.advice
    name = spoken_name(provider)
    names = {"provider": name, "Provider": name[:1].upper() + name[1:]}
    return {
        "cause": str(cause or status),
        "title": words.title.format(value=value, **names),
        "advice": advice.format(**names),
        "remedies": [
            Remedy(action, text.format(value=value), email if action is Action.SHOW_USER else value)
            for action, text in words.remedies
            if (email if action is Action.SHOW_USER else len(value or "") <= MAX_NAME_LENGTH)
        ],
    }


def _words(cause: str, status: int, *, is_update: bool) -> _Words:
    if is_update and cause in _UPDATE_WORDS:
        return _UPDATE_WORDS[cause]
    return _WORDS.get(cause) or _BY_STATUS.get(status, _OTHER)
