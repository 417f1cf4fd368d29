"""The URNs of SCIM 2.0 (RFC 7643 §10, RFC 7644 §10)."""

CORE_USER = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE_USER = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
SERVICE_PROVIDER_CONFIG = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
RESOURCE_TYPE = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:Schema"

MESSAGES = "urn:ietf:params:scim:api:messages:2.0:"
LIST_RESPONSE = MESSAGES + "ListResponse"
SEARCH_REQUEST = MESSAGES + "SearchRequest"
PATCH_OP = MESSAGES + "PatchOp"
ERROR = MESSAGES + "Error"
