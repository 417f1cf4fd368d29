"""Refusals in words: what they were for, what mends it, and which of them are open.

A refusal is open until something later is heard of the same user or address: what succeeds closes it, and what is
refused once more takes its place. One that is about nobody in particular is open for a day, as a provider repeats it
in its next cycle; one of a client that is not let in, until it is.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from scimsvc import clock
from scimsvc.activity.provisioning_log import shown_entry
from scimsvc.enterprises.removal_limit import count_removals
from scimsvc.mapping.roles import read_enterprise_roles
from scimsvc.protocol.reasons import Reason
from scimsvc.store import queries
from scimsvc.store.tenancy import Tenant, reading_in
from scimsvc.vocabulary import AUTHENTICATE, REFUSED


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


def explained_entry(row: Any) -> dict[str, Any]:
    """Return an entry of the log with ``why`` where it was refused: cause, title, advice and remedies."""
    return shown_entry(row) | {"effect": row.effect, "why": why(row) if row.outcome == REFUSED else None}


def why(row: Any) -> dict[str, Any]:
    """Return the cause of a refused entry in words, and what mends it."""
    return explain_cause(row.cause, row.status, value=row.role_value, email=row.email or row.user_id)


def explain_cause(
    cause: str | None, status: int, *, value: str | None = None, email: str | None = None
) -> dict[str, Any]:
    """Return a cause, or a mere status, in words; ``value`` is a role's, ``email`` whom it is about."""
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


# Which are open.


def list_open_causes(enterprise: str) -> list[dict[str, Any]]:
    """Return the open refusals of an enterprise by cause, the cause of most of them first."""
    with reading_in(enterprise) as tenant:
        return read_open_causes(tenant)


def read_open_causes(tenant: Tenant) -> list[dict[str, Any]]:
    """Return the same within a transaction.

    Each has the words of ``explain_cause``, ``refusals`` (how many), ``last`` (when), ``people`` (some of those
    concerned), and ``mended``: the cause is gone, and the provider is waited for.
    """
    rows = tenant.connection.execute(queries.OPEN_REFUSALS, tenant.own | {"limit": _LOOKED_AT}).all()
    groups: dict[tuple[Any, ...], list[Any]] = {}
    for row in _still_open(tenant, rows, clock.now()):
        groups.setdefault((row.cause, row.status if row.cause is None else None, row.role_key), []).append(row)
    is_mended = _mending(tenant)
    return sorted((_group(refused, is_mended) for refused in groups.values()), key=lambda each: -each["refusals"])


#: Refusals that are looked at: beyond these an enterprise has other worries than their number.
_LOOKED_AT = 5_000
_PEOPLE_SHOWN = 5
_OPEN_FOR = timedelta(days=1)


def _still_open(tenant: Tenant, rows: Iterable[Any], now: datetime) -> list[Any]:
    clients = tenant.connection.execute(queries.CLIENTS_LAST_USED, tenant.own)
    last_used = {client.client_id: client.last_used_at or "" for client in clients}
    since = clock.timestamp(now - _OPEN_FOR)

    def is_open(row: Any) -> bool:
        if row.operation == AUTHENTICATE:
            return bool(row.time >= since and last_used.get(row.client_id, "") < row.time)
        return bool(row.email_key or row.user_id or row.time >= since)

    return [row for row in rows if is_open(row)]


def _group(refused: list[Any], is_mended: Callable[[Any], bool]) -> dict[str, Any]:
    newest = refused[0]
    people = {row.email or row.user_id: row.detail for row in refused if row.email or row.user_id}
    first = next(iter(people), None)
    return explain_cause(newest.cause, newest.status, value=newest.role_value, email=first) | {
        "refusals": len(refused),
        "last": newest.time,
        "people": list(people)[:_PEOPLE_SHOWN],
        "detail": newest.detail,
        "mended": is_mended(newest),
    }


def _mending(tenant: Tenant) -> Callable[[Any], bool]:
    """Return what tells of a refusal whether its cause is gone."""
    row = tenant.row
    roles = read_enterprise_roles(tenant.connection, tenant.id, row.name)
    removals = count_removals(tenant.connection, row)
    gone: dict[str, Callable[[Any], bool]] = {
        Reason.UNKNOWN_ROLE: lambda refused: roles.by_name.get(refused.role_key) is not None,
        Reason.PAUSED: lambda _: not row.paused,
        Reason.REMOVAL_LIMIT: lambda _: removals is None or not removals.is_limit_reached,
        Reason.SCIM_OFF: lambda _: bool(row.scim_enabled),
        Reason.USER_NAME_TAKEN: lambda _: not row.unique_user_name,
        Reason.UNKNOWN_ATTRIBUTE: lambda _: not row.reject_unknown_attributes,
    }
    return lambda refused: gone.get(refused.cause, lambda _: False)(refused)
