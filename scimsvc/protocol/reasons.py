"""Machine-readable reasons of refusals.

One keyword of ``scimType`` covers many faults: ``invalidValue`` is a missing address as well as an unknown role. The
reason is the finer keyword that programs and logs branch on. ``detail`` is the text for people, and
``reports.causes`` has the remedies.
"""

from enum import StrEnum


class Reason(StrEnum):
    """The cause of a refusal, where ``scimType`` and status are not specific enough."""

    #: The value of a role is neither a name nor an alias of the enterprise's roles.
    UNKNOWN_ROLE = "unknown-role"
    #: Several roles, with no primary one or more than one.
    SEVERAL_ROLES = "several-roles"
    #: Another user has the work e-mail address.
    EMAIL_TAKEN = "email-taken"
    #: Another user has the userName, and the enterprise requires unique userNames.
    USER_NAME_TAKEN = "user-name-taken"
    #: The work e-mail address is missing, sent twice with different values, or malformed.
    NO_EMAIL = "no-email"
    SEVERAL_EMAILS = "several-emails"
    MALFORMED_EMAIL = "malformed-email"
    #: The userName is missing.
    NO_USER_NAME = "no-user-name"
    #: An attribute is not in any schema, and the enterprise refuses those.
    UNKNOWN_ATTRIBUTE = "unknown-attribute"
    #: The user was deleted, and the provider still refers to it.
    NO_SUCH_USER = "no-such-user"
    #: Manual users cannot be deleted through SCIM.
    MANUAL_USER = "manual-user"
    #: Groups were not provisioned. Only old entries of the log have it.
    GROUPS = "groups"
    #: The displayName of a group is missing, or another group has it.
    NO_GROUP_NAME = "no-group-name"
    GROUP_NAME_TAKEN = "group-name-taken"
    #: The group was deleted, and the provider still refers to it.
    NO_SUCH_GROUP = "no-such-group"
    #: A member is not a user of the enterprise, or is a group.
    UNKNOWN_MEMBER = "unknown-member"
    NESTED_GROUP = "nested-group"
    #: Writes are refused for now: the enterprise is paused, or its removal limit is reached.
    PAUSED = "paused"
    REMOVAL_LIMIT = "removal-limit"
    #: SCIM provisioning is disabled.
    SCIM_OFF = "scim-off"
    #: The operator suspended the enterprise.
    SUSPENDED = "suspended"
    #: The access token or the client secret is not valid, or no longer valid.
    TOKEN = "token"  # noqa: S105 - a keyword
    SECRET = "secret"  # noqa: S105 - a keyword
    #: The enterprise sends more requests than its rate limit allows.
    RATE_LIMIT = "rate-limit"
    #: The enterprise has as much as the operator of the service allows.
    QUOTA = "quota"
