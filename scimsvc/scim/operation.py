"""The name of a request's operation in the provisioning log and in ``explain``."""

from scimsvc.paths import SCIM_PREFIX
from scimsvc.vocabulary import BULK, GROUP, OTHER, USER_OPERATIONS

#: A request that writes nothing. The provisioning log does not record it.
READ = "read"


def operation_of(method: str, path: str) -> str:
    """Return the operation of a request with ``method`` to ``path`` (clean, below the Tenant URL)."""
    if method not in USER_OPERATIONS or path.endswith("/.search"):
        return READ
    resource = path.removeprefix(SCIM_PREFIX).strip("/").partition("/")[0]
    return USER_OPERATIONS[method] if resource == "Users" else _OPERATIONS.get(resource, OTHER)


_OPERATIONS = {"Bulk": BULK, "Groups": GROUP}
