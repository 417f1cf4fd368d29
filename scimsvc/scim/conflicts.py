"""Refuse a user or a group because of a value that another one has, and name its holder (RFC 7644 §3.12)."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from scimsvc.protocol.advice import Advice
from scimsvc.protocol.errors import InvalidValue, ScimError, Unavailable, Uniqueness, listed, quoted
from scimsvc.protocol.groups import GROUP_NAME
from scimsvc.protocol.members import nested_group
from scimsvc.protocol.reasons import Reason
from scimsvc.protocol.users import work_address
from scimsvc.scim.locking import known_form
from scimsvc.scim.request import ScimRequest
from scimsvc.store.group_members import UnknownMembers
from scimsvc.store.groups import GroupNameTaken, find_group, list_groups_by_name
from scimsvc.store.holders import find_holder_of_address, find_holder_of_user_name
from scimsvc.store.user_writes import EmailTaken, UserConflict, UserNameTaken
from scimsvc.vocabulary import CREATE

#: Advice for an e-mail address that another user has, by whether the refused user is new.
_ADVICE: Mapping[bool, Advice] = {
    True: Advice(
        'Match users on emails[type eq "work"].value in Entra, so that Entra updates that user instead.',
        'Let the identity provider search for the user by emails[type eq "work"].value, and update that user instead.',
    ),
    False: Advice.same(
        "Change one of the two addresses. If the users exchange their addresses, swap them in the scimsvc console."
    ),
}
_USER_NAME_ADVICE: Mapping[bool, str] = {
    True: "Map userName to an attribute with unique values,",
    False: "Change one of the two,",
}


def conflict_error(request: ScimRequest, error: UserConflict) -> ScimError:
    """Return the error that refuses the wanted user of ``request`` because of ``error``.

    Call it after the transaction, because PostgreSQL reads nothing in a transaction after a violated constraint.
    """
    enterprise, user = request.caller.enterprise_id, request.attempt.wanted
    is_new = request.attempt.operation == CREATE
    if isinstance(error, EmailTaken):
        holder, reason = find_holder_of_address(enterprise, work_address(user)), Reason.EMAIL_TAKEN
        advice = _ADVICE[is_new]
    elif isinstance(error, UserNameTaken):
        holder, reason = find_holder_of_user_name(enterprise, user["userName"]), Reason.USER_NAME_TAKEN
        advice = Advice.same(
            f"{_USER_NAME_ADVICE[is_new]} or allow duplicate userNames in the scimsvc console, under Settings."
        )
    else:
        return Unavailable("The user's role was removed during this request. Retry the request.", {"Retry-After": "1"})
    request.attempt.holder_id = holder
    return Uniqueness(conflict_in_words(request, error, holder), advice=advice, reason=reason)


def conflict_in_words(request: ScimRequest, error: UserConflict, holder: str | None = None) -> str:
    """Return the sentence that the user ``holder`` has the value that ``error`` is about."""
    user = request.attempt.wanted
    if isinstance(error, EmailTaken):
        value = f"work e-mail address {quoted(work_address(user))}"
    else:
        value = f"userName {quoted(user['userName'])}"
    named = f", with the ID {holder}," if holder else ""
    return f"Another user in {request.caller.enterprise}{named} already has the {value}."


#: Advice for a name that another group has, by whether the refused group is new.
_GROUP_NAME_ADVICE: Mapping[bool, Advice] = {
    True: Advice(
        "Match groups on displayName in Entra, so that Entra updates that group instead.",
        "Let the identity provider search for the group by displayName, and update that group instead.",
    ),
    False: Advice.same("Rename one of the two, or allow duplicate names of groups: see unique_group_name."),
}


@contextmanager
def refused_groups(request: ScimRequest) -> Iterator[None]:
    """Refuse the wanted group of ``request`` if its name is taken or its members are unknown.

    Put the transaction into the block: PostgreSQL reads nothing in a transaction after a violated constraint.
    """
    try:
        yield
    except (GroupNameTaken, UnknownMembers) as error:
        raise group_error(request, error) from None


def group_error(request: ScimRequest, error: GroupNameTaken | UnknownMembers) -> ScimError:
    """Return the error that refuses the wanted group of ``request`` because of ``error``."""
    if isinstance(error, UnknownMembers):
        return _unknown_members(request, error.ids)
    name = request.attempt.wanted[GROUP_NAME.name]
    groups = list_groups_by_name(request.caller.enterprise_id, name, limit=1)
    holder = request.attempt.holder_id = groups[0].id if groups else None
    named = f", with the ID {holder}," if holder else ""
    return Uniqueness(
        f"Another group in {request.caller.enterprise}{named} already has the displayName {quoted(name)}.",
        advice=_GROUP_NAME_ADVICE[request.attempt.operation == CREATE],
        reason=Reason.GROUP_NAME_TAKEN,
    )


def _unknown_members(request: ScimRequest, ids: Sequence[str]) -> ScimError:
    for each in ids[:_MOST_LOOKED_UP]:
        if find_group(request.caller.enterprise_id, known_form(each)) is not None:
            return nested_group(each)
    return InvalidValue(
        f"Users with these IDs do not exist in {request.caller.enterprise}: {listed(map(quoted, ids))}. "
        "Create the users first, or leave them out of the members.",
        reason=Reason.UNKNOWN_MEMBER,
    )


#: How many unknown members are compared with groups.
_MOST_LOOKED_UP = 10
