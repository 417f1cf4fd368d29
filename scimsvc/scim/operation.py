"""The name of a request's operation, which the provisioning log, its refusals and ``explain`` share."""

from scimsvc.paths import SCIM_PREFIX
from scimsvc.vocabulary import BULK, GROUP, OTHER, USER_OPERATIONS

#: A request that writes nothing, and of which the provisioning log has no entry.
READ = "read"


def operation_of(method: str, path: str) -> str:
    """Return the name of what a request of ``method`` to ``path`` (clean, below the Tenant URL) does."""
    if method not in USER_OPERATIONS or path.endswith("/.search"):
        return READ
    resource = path.removeprefix(SCIM_PREFIX).strip("/").partition("/")[0]
    return USER_OPERATIONS[method] if resource == "Users" else _OPERATIONS.get(resource, OTHER)


_OPERATIONS = {"Bulk": BULK, "Groups": GROUP}
