"""Refuse a user because of an address, userName or role, and name the user who has the value (RFC 7644 §3.12)."""

from collections.abc import Mapping

from scimsvc.protocol.advice import Advice
from scimsvc.protocol.errors import ScimError, Unavailable, Uniqueness, quoted
from scimsvc.protocol.reasons import Reason
from scimsvc.protocol.users import work_address
from scimsvc.scim.request import ScimRequest
from scimsvc.store.user_writes import EmailTaken, UserConflict, UserNameTaken
from scimsvc.store.users import find_holder_of_address, find_holder_of_user_name
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
