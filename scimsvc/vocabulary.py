"""Words that the database stores, the API returns and the commands accept. Each is defined only here."""

#: Sources of a user: created outside SCIM, and created or taken over by SCIM.
MANUAL = "manual"
PROVISIONED = "provisioned"
SOURCES = (MANUAL, PROVISIONED)

# The provisioning log.

OK = "ok"
REFUSED = "refused"
OUTCOMES = (OK, REFUSED)

CREATE, REPLACE, PATCH, DELETE = "create", "replace", "patch", "delete"
#: A Bulk request that was refused as a whole. Its operations have entries of their own.
BULK = "bulk"
#: A write to a group. The service provisions users only.
GROUP = "group"
#: A write to a path that accepts no writes.
OTHER = "other"
#: A token or a client secret that was refused.
AUTHENTICATE = "authenticate"
OPERATIONS = (CREATE, REPLACE, PATCH, DELETE, BULK, GROUP, OTHER, AUTHENTICATE)
#: The operation of a write to users, by its HTTP method.
USER_OPERATIONS = {"POST": CREATE, "PUT": REPLACE, "PATCH": PATCH, "DELETE": DELETE}

# The change feed.

CREATED, UPDATED, ENABLED, DISABLED = "created", "updated", "enabled", "disabled"
DELETED, TAKEN_OVER = "deleted", "taken_over"
CHANGE_TYPES = (CREATED, UPDATED, ENABLED, DISABLED, DELETED, TAKEN_OVER)
#: The changes that the removal limit counts.
REMOVALS = (DISABLED, DELETED)

#: Origins of a change outside SCIM: an administrator changed a manual user, a user edited title or organization, or a
#: role changed and with it all of its users.
BY_ADMINISTRATOR, BY_USER, BY_ROLE = "administrator", "user", "role"

# Tokens: each scope gives access to one path.

SCIM_SCOPE, API_SCOPE = "scim", "api"
SCOPES = (SCIM_SCOPE, API_SCOPE)

#: An ID that this service assigns: a UUID, or the 32 digits of a token ID.
ID_PATTERN = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}"

#: The prefix of every access token, client secret and one-time link. The request log omits words with this prefix.
TOKEN_PREFIX = "scimsvc_"  # noqa: S105  # not a secret
