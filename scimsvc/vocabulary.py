"""Words that the database stores, the API returns and the commands accept. Each is defined only here."""

from collections.abc import Mapping
from enum import StrEnum

#: Sources of a user: created outside SCIM, and created or taken over by SCIM.
MANUAL = "manual"
PROVISIONED = "provisioned"
SOURCES = (MANUAL, PROVISIONED)

#: The meaning of several roles of a user, none of them primary: an error, or the first one in the enterprise's order.
REFUSE, HIGHEST = "refuse", "highest"
SEVERAL_ROLES = (REFUSE, HIGHEST)

#: Why a user has a role.
SENT, FROM_GROUP, DEFAULT = "sent", "group", "default"
ROLE_SOURCES = (SENT, FROM_GROUP, DEFAULT)

#: The sort orders of the console's list of users, each ascending and, with a hyphen, descending.
BY_USER_NAME, BY_EMAIL, BY_CHANGE = "user_name", "email", "changed"
USER_SORTS = tuple(f"{sign}{name}" for name in (BY_USER_NAME, BY_EMAIL, BY_CHANGE) for sign in ("", "-"))

# The provisioning log.

OK = "ok"
REFUSED = "refused"
OUTCOMES = (OK, REFUSED)

#: Writes to users and groups. Entries about a group have its ID.
CREATE, REPLACE, PATCH, DELETE = "create", "replace", "patch", "delete"
#: A Bulk request that was refused as a whole. Its operations have entries of their own.
BULK = "bulk"
#: A write to a group before this service provisioned groups. Only old entries have it.
GROUP = "group"
#: A write to a path that accepts no writes.
OTHER = "other"
#: A token or a client secret that was refused.
AUTHENTICATE = "authenticate"
OPERATIONS = (CREATE, REPLACE, PATCH, DELETE, BULK, GROUP, OTHER, AUTHENTICATE)
#: The operation of a write to users or groups, by its HTTP method.
WRITES = {"POST": CREATE, "PUT": REPLACE, "PATCH": PATCH, "DELETE": DELETE}

#: In searches of the log: an applied request without an effect, and a refusal without a cause.
WITHOUT = "none"

# The change feed.

CREATED, UPDATED, ENABLED, DISABLED = "created", "updated", "enabled", "disabled"
DELETED, TAKEN_OVER = "deleted", "taken_over"
USER_CHANGE_TYPES = (CREATED, UPDATED, ENABLED, DISABLED, DELETED, TAKEN_OVER)
GROUP_CREATED, GROUP_UPDATED, GROUP_DELETED = "group_created", "group_updated", "group_deleted"
MEMBERS_ADDED, MEMBERS_REMOVED = "members_added", "members_removed"
GROUP_CHANGE_TYPES = (GROUP_CREATED, GROUP_UPDATED, GROUP_DELETED, MEMBERS_ADDED, MEMBERS_REMOVED)
CHANGE_TYPES = USER_CHANGE_TYPES + GROUP_CHANGE_TYPES
#: The changes that the removal limit counts.
REMOVALS = (DISABLED, DELETED)

#: Origins of a change outside SCIM: an administrator changed a manual user, a user edited title or organization, or a
#: role changed and with it all of its users. The last one is the change of a group that gives roles.
BY_ADMINISTRATOR, BY_USER, BY_ROLE, BY_GROUP = "administrator", "user", "role", "group"

# Webhooks.

#: The payloads: the entry of the change feed, or also the user or group as it is now.
THIN, FULL = "thin", "full"
PAYLOADS = (THIN, FULL)

#: The types of events by the type of the change. The part before the dot is the type of the object.
EVENT_OF_CHANGE: Mapping[str, str] = {
    **{change: f"user.{change}" for change in USER_CHANGE_TYPES},
    **{change: f"group.{change.removeprefix('group_')}" for change in GROUP_CHANGE_TYPES},
}


class AlertType(StrEnum):
    """The type of an alert's event."""

    TOKEN_EXPIRING = "alert.token_expiring"  # noqa: S105  # not a secret
    REMOVAL_LIMIT = "alert.removal_limit"
    REFUSALS = "alert.refusals"
    SILENT = "alert.silent"
    WEBHOOK_DISABLED = "alert.webhook_disabled"


#: The type of an alert of the installation: ``scimsvc check`` found a fault. Webhooks do not deliver it.
INTEGRITY = "alert.integrity"
#: The default number of open refusals that raises an alert.
ALERT_REFUSALS = 10


class AlertTopic(StrEnum):
    """A kind of alert to which an account can subscribe by e-mail."""

    TOKEN_SOON = "token_soon"  # noqa: S105  # not a secret
    TOKEN_URGENT = "token_urgent"  # noqa: S105  # not a secret
    REMOVAL_LIMIT = "removal_limit"
    REFUSALS = "refusals"
    SILENT = "silent"
    WEBHOOK_DISABLED = "webhook_disabled"
    INTEGRITY = "integrity"


#: The types of events that a webhook can choose, and the patterns for all types of one kind.
EVENT_TYPES = (*EVENT_OF_CHANGE.values(), *map(str, AlertType))
EVENT_PATTERNS = ("user.*", "group.*", "alert.*")
#: The type of the message that tests a webhook. Every webhook gets it on request.
WEBHOOK_TEST = "webhook.test"
#: The entry among the deliveries that shows changes which were deleted before they were delivered. It is never sent.
CHANGES_LOST = "webhook.changes_lost"

#: Why the service disabled a webhook: the receiver answered 410, or all retries of a message failed.
GONE, FAILING = "gone", "failing"
#: Effects that the overview counts together, and a search finds together.
CHANGES = (UPDATED, ENABLED, TAKEN_OVER)
EFFECT_GROUPS = {"changes": CHANGES, "removals": REMOVALS}

# The audit log.

#: The kinds of actors: an account of the console, an integration with an access token, and a user of the shell.
CONSOLE, API, COMMAND = "console", "api", "command"
ACTORS = (CONSOLE, API, COMMAND)


class Action(StrEnum):
    """A change outside SCIM, or a sign-in. The first part is the type of the target."""

    ENTERPRISE_CREATED = "enterprise.created"
    ENTERPRISE_UPDATED = "enterprise.updated"
    ENTERPRISE_PAUSED = "enterprise.paused"
    ENTERPRISE_RESUMED = "enterprise.resumed"
    ENTERPRISE_RELEASED = "enterprise.released"
    ENTERPRISE_SUSPENDED = "enterprise.suspended"
    ENTERPRISE_REACTIVATED = "enterprise.reactivated"
    ENTERPRISE_DELETED = "enterprise.deleted"
    ENTERPRISE_EXPORTED = "enterprise.exported"
    ENTERPRISE_IMPORTED = "enterprise.imported"
    ROLE_CREATED = "role.created"
    ROLE_UPDATED = "role.updated"
    ROLE_DELETED = "role.deleted"
    ATTRIBUTE_CREATED = "attribute.created"
    ATTRIBUTE_REMOVED = "attribute.removed"
    INTEGRATION_CREATED = "integration.created"
    INTEGRATION_UPDATED = "integration.updated"
    INTEGRATION_ROTATED = "integration.rotated"
    INTEGRATION_REVOKED = "integration.revoked"
    TOKEN_ISSUED = "token.issued"  # noqa: S105  # not a secret
    TOKEN_ROTATED = "token.rotated"  # noqa: S105  # not a secret
    TOKEN_REVOKED = "token.revoked"  # noqa: S105  # not a secret
    WEBHOOK_CREATED = "webhook.created"
    WEBHOOK_UPDATED = "webhook.updated"
    WEBHOOK_DELETED = "webhook.deleted"
    WEBHOOK_ROTATED = "webhook.rotated"
    WEBHOOK_TESTED = "webhook.tested"
    WEBHOOK_REPLAYED = "webhook.replayed"
    USER_CREATED = "user.created"
    USER_UPDATED = "user.updated"
    USER_DELETED = "user.deleted"
    USER_ERASED = "user.erased"
    USERS_IMPORTED = "users.imported"
    USERS_EXPORTED = "users.exported"
    USERS_COMPARED = "users.compared"
    LOG_EXPORTED = "log.exported"
    LOG_ERRORS_DISMISSED = "log.errors_dismissed"
    LOG_PRUNED = "log.pruned"
    AUDIT_EXPORTED = "audit.exported"
    SETTING_UPDATED = "setting.updated"
    DATABASE_UPGRADED = "database.upgraded"
    DATABASE_BACKED_UP = "database.backed_up"
    DATABASE_VACUUMED = "database.vacuumed"
    DATABASE_MIGRATED = "database.migrated"
    KEY_ADOPTED = "key.adopted"
    SELFTEST_STARTED = "selftest.started"
    ADMIN_CREATED = "admin.created"
    ADMIN_REMOVED = "admin.removed"
    ADMIN_LINK_CREATED = "admin.link_created"
    ADMIN_PASSWORD_SET = "admin.password_set"  # noqa: S105  # not a secret
    ADMIN_PASSWORD_CHANGED = "admin.password_changed"  # noqa: S105  # not a secret
    ADMIN_ROLE_CHANGED = "admin.role_changed"
    ADMIN_SIGNED_IN = "admin.signed_in"
    ADMIN_SIGN_IN_REFUSED = "admin.sign_in_refused"
    ADMIN_SIGNED_OUT = "admin.signed_out"
    ADMIN_SIGNED_OUT_EVERYWHERE = "admin.signed_out_everywhere"
    ADMIN_CONFIRMED = "admin.confirmed"
    ADMIN_SESSIONS_ENDED = "admin.sessions_ended"
    ADMIN_MFA_ENABLED = "admin.mfa_enabled"
    ADMIN_MFA_DISABLED = "admin.mfa_disabled"
    ADMIN_MFA_RESET = "admin.mfa_reset"
    ADMIN_RECOVERY_CODES_CREATED = "admin.recovery_codes_created"
    ADMIN_RECOVERY_CODE_USED = "admin.recovery_code_used"
    ADMIN_IDENTITY_LINKED = "admin.identity_linked"
    ADMIN_IDENTITY_UNLINKED = "admin.identity_unlinked"
    ADMIN_ALERTS_CHANGED = "admin.alerts_changed"


ACTIONS = tuple(map(str, Action))

# Accounts of the console.

#: The roles: may change everything, may change one enterprise, and reads everything in the reach of the account.
OPERATOR, ADMINISTRATOR, AUDITOR = "operator", "administrator", "auditor"
ADMIN_ROLES = (OPERATOR, ADMINISTRATOR, AUDITOR)

# Scopes of tokens and integrations (contract section 4).

#: SCIM, the whole enterprise API, its users and changes, and every GET except tokens,
#: integrations and webhooks.
SCIM_SCOPE, API_SCOPE, USERS_SCOPE, READ_SCOPE = "scim", "api", "api.users", "api.read"
#: The scopes that give access to paths of the enterprise API.
API_SCOPES = (API_SCOPE, USERS_SCOPE, READ_SCOPE)
SCOPES = (SCIM_SCOPE, *API_SCOPES)

# Identity providers of integrations.


class Provider(StrEnum):
    """The identity provider that uses an integration."""

    ENTRA = "entra"
    OKTA = "okta"
    ONELOGIN = "onelogin"
    AUTHENTIK = "authentik"
    KEYCLOAK = "keycloak"
    PING = "ping"
    JUMPCLOUD = "jumpcloud"
    SAILPOINT = "sailpoint"
    GOOGLE = "google"
    OTHER = "other"


PROVIDERS = tuple(map(str, Provider))
#: The names for people. A provider that is not in the list has no name.
PROVIDER_NAMES: Mapping[str, str] = {
    Provider.ENTRA: "Microsoft Entra ID",
    Provider.OKTA: "Okta",
    Provider.ONELOGIN: "OneLogin",
    Provider.AUTHENTIK: "authentik",
    Provider.KEYCLOAK: "Keycloak",
    Provider.PING: "Ping Identity",
    Provider.JUMPCLOUD: "JumpCloud",
    Provider.SAILPOINT: "SailPoint",
    Provider.GOOGLE: "Google Workspace",
}

#: An ID that this service assigns: a UUID, or the 32 digits of a token ID.
ID_PATTERN = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}"

#: The prefix of every access token, client secret and one-time link. The request log omits words with this prefix.
TOKEN_PREFIX = "scimsvc_"  # noqa: S105  # not a secret
