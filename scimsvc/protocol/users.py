"""The type User, and the rules for a User as a whole (contract section 5)."""

import re

from scimsvc.protocol import urns
from scimsvc.protocol.addresses import is_work, substitutes
from scimsvc.protocol.advice import Advice
from scimsvc.protocol.attributes import ACTIVE, EMAILS, ENTERPRISE_USER, PHONE_NUMBERS, USER, USER_NAME, Resource, fold
from scimsvc.protocol.errors import InvalidValue, quoted
from scimsvc.protocol.reading.tolerances import RequestNotes, Tolerance
from scimsvc.protocol.reasons import Reason
from scimsvc.protocol.resource_types import ResourceType

# One @ between a local part and a domain of non-empty labels, in any script, without spaces or list punctuation.
_PLAIN = r"[^\s\x00-\x1f\x7f@<>()\[\],;:\\\"{more}]+"
_LOCAL, _LABEL = _PLAIN.replace("{more}", ""), _PLAIN.replace("{more}", ".")
_EMAIL_ADDRESS = re.compile(rf"{_LOCAL}@{_LABEL}(?:\.{_LABEL})*")


def complete_user(user: Resource, notes: RequestNotes) -> None:
    """Add the derived attributes to ``user``, and check its mandatory attributes. Raises ``InvalidValue``."""
    user.setdefault(ACTIVE.name, True)
    addresses = user.get(EMAILS.name, [])
    if len(addresses) == 1 and "type" not in addresses[0]:
        notes.tolerate(Tolerance.UNTYPED_EMAIL)
        typed = addresses[0] | {"type": "work"}
        user[EMAILS.name] = [{sub.name: typed[sub.name] for sub in EMAILS.sub_attributes if sub.name in typed}]
    if USER_NAME.name not in user:
        raise InvalidValue(
            "The attribute userName is missing.",
            advice=Advice(
                "In Entra, map it to an attribute of every user, such as displayName.",
                "In the identity provider, map it to an attribute that every user has.",
            ),
            reason=Reason.NO_USER_NAME,
        )
    work_address(user, notes)


def work_address(user: Resource, notes: RequestNotes | None = None) -> str:
    """Return the value of ``emails[type eq "work"]``, the key of a user, or of the element that counts as it.

    Raises ``InvalidValue`` if it is missing, malformed or not unique within the user.
    """
    emails = user.get(EMAILS.name, [])
    addresses = [each["value"] for each in emails if each.get("type") == "work" or is_work(each)]
    if not addresses:
        addresses = [each["value"] for each in substitutes(emails)]
        if addresses and notes is not None:
            notes.tolerate(Tolerance.OTHER_EMAIL)
    if not addresses:
        raise no_work_address()
    if len(addresses) > 1 and len({fold(address) for address in addresses}) > 1:
        raise InvalidValue(
            'The attribute emails has two different addresses of type "work". Send only one work address.',
            reason=Reason.SEVERAL_EMAILS,
        )
    address = str(addresses[0])
    if not is_email_address(address):
        raise InvalidValue(
            f'The value {quoted(address)} of emails[type eq "work"].value is not a valid e-mail address. '
            "Send one such as name@example.com.",
            reason=Reason.MALFORMED_EMAIL,
        )
    return address


def no_work_address() -> InvalidValue:
    """Return the error for a user without a work address."""
    return InvalidValue(
        'The attribute emails[type eq "work"].value is missing.',
        advice=Advice(
            "In Entra, map it to an attribute that every user has, such as mail or userPrincipalName.",
            "In the identity provider, map the e-mail address of every user to it.",
        ),
        reason=Reason.NO_EMAIL,
    )


def is_email_address(text: str) -> bool:
    """Return whether ``text`` has the form of an e-mail address."""
    return _EMAIL_ADDRESS.fullmatch(text) is not None


#: The type User of enterprises without further extensions.
USERS = ResourceType(
    "User",
    "/Users",
    USER,
    complete_user,
    extensions=(ENTERPRISE_USER,),
    # Names that administrators map although they are not part of the standard.
    singular_names={"email": EMAILS, "phonenumber": PHONE_NUMBERS},
    legacy_urns={
        **{f"{legacy}:user": urns.CORE_USER for legacy in urns.LEGACY_CORE},
        **{f"{legacy}:user": urns.ENTERPRISE_USER for legacy in urns.LEGACY_ENTERPRISE},
        **dict.fromkeys(urns.LEGACY_CORE, urns.CORE_USER),
        **dict.fromkeys(urns.LEGACY_ENTERPRISE, urns.ENTERPRISE_USER),
    },
)
