"""The name of a request's operation in the provisioning log and in ``explain``."""

from scimsvc.paths import SCIM_PREFIX
from scimsvc.vocabulary import BULK, OTHER, WRITES

#: A request that writes nothing. The provisioning log does not record it.
READ = "read"


def operation_of(method: str, path: str) -> str:
    """Return the operation of a request with ``method`` to ``path`` (clean, below the Tenant URL)."""
    if method not in WRITES or path.endswith("/.search"):
        return READ
    resource = path.removeprefix(SCIM_PREFIX).strip("/").partition("/")[0]
    if resource in ("Users", "Groups"):
        return WRITES[method]
    return BULK if resource == "Bulk" else OTHER
