"""Machine-readable reasons of refusals.

``scimType`` has one keyword for many faults: ``invalidValue`` is a missing address as well as an unknown role. The
reason is the keyword that programs and logs branch on; ``detail`` is the text for people. It belongs to the error and
not to its readers, and it says nothing about remedies: ``reports.causes`` has those.
"""

from enum import StrEnum


class Reason(StrEnum):
    """Why a request was refused, where ``scimType`` and status do not say it."""

    #: The value of a role names none of the enterprise's roles.
    UNKNOWN_ROLE = "unknown-role"
    #: Several roles, of which none or more than one is primary.
    SEVERAL_ROLES = "several-roles"
    #: Another user has the work e-mail address.
    EMAIL_TAKEN = "email-taken"
    #: Another user has the userName, and the enterprise wants it unique.
    USER_NAME_TAKEN = "user-name-taken"
    #: There is no work e-mail address, or two, or it is none.
    NO_EMAIL = "no-email"
    SEVERAL_EMAILS = "several-emails"
    MALFORMED_EMAIL = "malformed-email"
    #: There is no userName.
    NO_USER_NAME = "no-user-name"
    #: The enterprise rejects attributes that no schema has.
    UNKNOWN_ATTRIBUTE = "unknown-attribute"
    #: The user is gone, and the provider does not know it.
    NO_SUCH_USER = "no-such-user"
    #: A user made by hand is not deleted by SCIM.
    MANUAL_USER = "manual-user"
    #: Groups are not provisioned.
    GROUPS = "groups"
    #: Writes are held back: the enterprise is paused, or the limit on removals is reached.
    PAUSED = "paused"
    REMOVAL_LIMIT = "removal-limit"
    #: Provisioning is switched off.
    SCIM_OFF = "scim-off"
    #: The access token or the client secret is not good, or not any more.
    TOKEN = "token"  # noqa: S105 - a keyword
    SECRET = "secret"  # noqa: S105 - a keyword
    #: More requests than the enterprise may send.
    RATE_LIMIT = "rate-limit"
