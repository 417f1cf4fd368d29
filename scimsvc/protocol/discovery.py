"""Discovery documents, generated from the tables that the code uses (RFC 7643 §5 to §7, RFC 7644 §4)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from scimsvc.protocol import urns
from scimsvc.protocol.attributes import ROLES, USER_NAME, Attribute, Schema, fold, with_sub_attribute
from scimsvc.protocol.groups import GROUP_NAME
from scimsvc.protocol.limits import DEFAULT_PAGE, Limits
from scimsvc.protocol.resource_types import ResourceType


def service_provider_config(base: str, limits: Limits) -> dict[str, Any]:
    """Return the ServiceProviderConfig (RFC 7643 §5, RFC 9865 §4) below the Tenant URL ``base``."""
    return {
        "schemas": [urns.SERVICE_PROVIDER_CONFIG],
        "id": "ServiceProviderConfig",
        "patch": {"supported": True},
        "bulk": {"supported": True, "maxOperations": limits.bulk_operations, "maxPayloadSize": limits.body},
        "filter": {"supported": True, "maxResults": limits.page},
        "changePassword": {"supported": False},
        "sort": {"supported": True},
        "etag": {"supported": True},
        "pagination": {
            "cursor": True,
            "index": True,
            "defaultPaginationMethod": "index",
            "defaultPageSize": min(DEFAULT_PAGE, limits.page),
            "maxPageSize": limits.page,
        },
        "authenticationSchemes": [
            {
                "type": "oauthbearertoken",
                "name": "SCIM token",
                "description": "A bearer token, requested from the token endpoint with X-SCIM: true or scope=scim.",
                "specUri": "https://www.rfc-editor.org/info/rfc6750",
                "primary": True,
            }
        ],
        "meta": {"resourceType": "ServiceProviderConfig", "location": f"{base}/ServiceProviderConfig"},
    }


def resource_types(base: str, types: Sequence[ResourceType]) -> list[dict[str, Any]]:
    """Return the resource types of one enterprise (RFC 7643 §6)."""
    return [_resource_type(each, base) for each in types]


def _resource_type(resource_type: ResourceType, base: str) -> dict[str, Any]:
    return {
        "schemas": [urns.RESOURCE_TYPE],
        "id": resource_type.name,
        "name": resource_type.name,
        "endpoint": resource_type.endpoint,
        "description": resource_type.core.description,
        "schema": resource_type.core.urn,
        "schemaExtensions": [{"schema": each.urn, "required": False} for each in resource_type.extensions],
        "meta": {"resourceType": "ResourceType", "location": f"{base}/ResourceTypes/{resource_type.name}"},
    }


def schemas(
    base: str,
    types: Sequence[ResourceType],
    *,
    unique_user_name: bool,
    unique_group_name: bool = True,
    role_names: Sequence[str],
) -> list[dict[str, Any]]:
    """Return the schemas of one enterprise with the resource ``types`` (RFC 7643 §7).

    ``unique_user_name`` and ``unique_group_name`` set the uniqueness of the names. ``role_names`` are the canonical
    values of ``roles.value``.
    """
    special = {
        ROLES: with_sub_attribute(ROLES, replace(_value_of(ROLES), canonical_values=tuple(role_names))),
        USER_NAME: replace(USER_NAME, uniqueness="server" if unique_user_name else "none"),
        GROUP_NAME: replace(GROUP_NAME, uniqueness="server" if unique_group_name else "none"),
    }
    return [_schema(schema, base, special) for each in types for schema in (each.core, *each.extensions)]


def find_by_id(resources: Sequence[dict[str, Any]], identifier: str) -> dict[str, Any] | None:
    """Return the resource with the id ``identifier``, without regard to case, or None."""
    return next((each for each in resources if fold(each["id"]) == fold(identifier)), None)


def _value_of(attribute: Attribute) -> Attribute:
    value = attribute.value
    assert value is not None, attribute
    return value


def _schema(schema: Schema, base: str, special: Mapping[Attribute, Attribute]) -> dict[str, Any]:
    return {
        "schemas": [urns.SCHEMA],
        "id": schema.urn,
        "name": schema.name,
        "description": schema.description,
        "attributes": [_attribute(special.get(each, each)) for each in schema.attributes if not each.dropped],
        "meta": {"resourceType": "Schema", "location": f"{base}/Schemas/{schema.urn}"},
    }


def _attribute(attribute: Attribute) -> dict[str, Any]:
    """Return the description of one attribute, without members that do not apply to its type (RFC 7643 §7)."""
    described: dict[str, Any] = {
        "name": attribute.name,
        "type": attribute.type,
        "multiValued": attribute.multi_valued,
        "description": attribute.description,
        "required": attribute.required,
        "mutability": attribute.mutability,
        "returned": attribute.returned,
    }
    if attribute.type not in ("boolean", "complex"):
        described["caseExact"] = attribute.case_exact
        described["uniqueness"] = attribute.uniqueness
    if attribute.canonical_values:
        described["canonicalValues"] = list(attribute.canonical_values)
    if attribute.reference_types:
        described["referenceTypes"] = list(attribute.reference_types)
    if attribute.sub_attributes:
        described["subAttributes"] = [_attribute(sub_attribute) for sub_attribute in attribute.sub_attributes]
    return described
