"""The URNs of SCIM 2.0 (RFC 7643 §10, RFC 7644 §10)."""

CORE_USER = "urn:ietf:params:scim:schemas:core:2.0:User"
CORE_GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE_USER = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
SERVICE_PROVIDER_CONFIG = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
RESOURCE_TYPE = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:Schema"

#: The prefix of the URNs of SCIM 1.1 and of the drafts of SCIM 2.0.
LEGACY = "urn:scim:schemas:"
#: Legacy URNs of a core schema, whatever the type of resource, and of the enterprise extension.
LEGACY_CORE = (f"{LEGACY}core:1.0", f"{LEGACY}core:2.0")
LEGACY_ENTERPRISE = (f"{LEGACY}extension:enterprise:1.0", f"{LEGACY}extension:enterprise:2.0")

MESSAGES = "urn:ietf:params:scim:api:messages:2.0:"
LIST_RESPONSE = MESSAGES + "ListResponse"
SEARCH_REQUEST = MESSAGES + "SearchRequest"
PATCH_OP = MESSAGES + "PatchOp"
BULK_REQUEST = MESSAGES + "BulkRequest"
BULK_RESPONSE = MESSAGES + "BulkResponse"
ERROR = MESSAGES + "Error"
