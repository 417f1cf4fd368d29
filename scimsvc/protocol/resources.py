"""The canonical form of a resource (contract section 5).

Every write passes through here after its last operation. It sorts attributes in the order of the table, removes empty
elements, merges repeated ones, derives ``schemas`` and checks that the mandatory attributes are present.
"""

from collections.abc import Collection
from typing import Any

from scimsvc.protocol.attributes import EXTENSION, SCHEMAS, Attribute, Resource
from scimsvc.protocol.elements import merged_elements
from scimsvc.protocol.errors import InvalidValue
from scimsvc.protocol.filters.matching import comparable
from scimsvc.protocol.limits import Limits
from scimsvc.protocol.reading.tolerances import RequestNotes
from scimsvc.protocol.resource_types import ResourceType


def canonical_resource(resource: Resource, resource_type: ResourceType, notes: RequestNotes) -> Resource:
    """Return ``resource`` in canonical form, without ``meta``. Raises ``InvalidValue``."""
    canonical: Resource = {}
    for attribute in resource_type.attributes:
        value = _cleaned(attribute, resource.get(attribute.name), attribute.name, notes.limits)
        if value is not None and attribute.mutability != "readOnly":
            canonical[attribute.name] = value
    if "id" in resource:
        canonical["id"] = resource["id"]
    return _completed(canonical, resource_type, notes)


def canonical_again(
    resource: Resource, touched: Collection[Attribute], resource_type: ResourceType, notes: RequestNotes
) -> Resource:
    """Return ``resource`` in canonical form, where only the attributes ``touched`` may not be canonical yet.

    Raises ``InvalidValue``.
    """
    canonical = dict(resource)
    for attribute in touched:
        value = _cleaned(attribute, canonical.get(attribute.name), attribute.name, notes.limits)
        if value is not None:
            canonical[attribute.name] = value
        else:
            canonical.pop(attribute.name, None)
    return _completed(canonical, resource_type, notes)


def _completed(resource: Resource, resource_type: ResourceType, notes: RequestNotes) -> Resource:
    """Return a resource of clean attributes with the derived ones, in the order of its type."""
    resource_type.complete(resource, notes)
    schemas = resource[SCHEMAS.name] = [resource_type.core.urn]
    for extension in resource_type.extensions:
        if extension.urn in resource:
            schemas += [extension.urn]
    return {each.name: resource[each.name] for each in resource_type.attributes if each.name in resource}


def differences(before: Resource, after: Resource, resource_type: ResourceType) -> list[tuple[str, Any, Any]]:
    """Return name, old value and new value of each difference between two resources in canonical form.

    The differences are in the order of the type. A member of a complex attribute is called ``name.familyName``, and an
    attribute of the enterprise extension has its short name, and one of another extension its full
    name. An absent value is None.
    """
    changes: list[tuple[str, Any, Any]] = []
    for attribute in [each for each in resource_type.compared if before.get(each.name) != after.get(each.name)]:
        old, new = before.get(attribute.name), after.get(attribute.name)
        if attribute.multi_valued or not attribute.sub_attributes:
            changes.append((attribute.name, old, new))
            continue
        separator = ":" if attribute.is_extension else "."
        prefix = "" if attribute is EXTENSION else f"{attribute.name}{separator}"
        members = ((sub.name, (old or {}).get(sub.name), (new or {}).get(sub.name)) for sub in attribute.sub_attributes)
        changes += [(prefix + name, was, now) for name, was, now in members if was != now]
    return changes


def changed_attributes(before: Resource, after: Resource, resource_type: ResourceType) -> list[str]:
    """Return the names of the attributes that differ between two resources in canonical form; see ``differences``."""
    return [name for name, _, _ in differences(before, after, resource_type)]


def _cleaned(attribute: Attribute, value: Any, where: str, limits: Limits) -> Any:
    """Return ``value`` without empty members, or None if it is empty itself (RFC 7643 §2.5)."""
    if value in (None, "", [], {}):
        return None
    if attribute.multi_valued:
        if not attribute.sub_attributes:
            return _cleaned_bare_elements(attribute, value, where, limits)
        return _cleaned_elements(attribute, value, limits)
    if attribute.type == "complex":
        return _cleaned_members(attribute, value, limits)
    if attribute.max_length is not None and len(value) > attribute.max_length:
        raise _too_long(attribute, value, where)
    return value


def _too_long(attribute: Attribute, value: str, where: str) -> InvalidValue:
    return InvalidValue(
        f"The attribute {where} has {len(value)} characters. Shorten it to at most {attribute.max_length}."
    )


def _cleaned_members(attribute: Attribute, value: Resource, limits: Limits) -> Resource | None:
    members = {}
    for sub_attribute in attribute.sub_attributes:
        raw = value.get(sub_attribute.name)
        if raw is None:
            continue
        separator = ":" if attribute.is_extension else "."
        member = _cleaned(sub_attribute, raw, f"{attribute.name}{separator}{sub_attribute.name}", limits)
        if member is not None:
            members[sub_attribute.name] = member
    if not attribute.multi_valued:
        return members or None
    # An element without a value is empty; an address is empty without any of its parts.
    says = "value" in members if attribute.value is not None else members.keys() - {"type", "primary"}
    return members if says else None


def _cleaned_bare_elements(attribute: Attribute, elements: list[Any], where: str, limits: Limits) -> list[Any]:
    """Return elements that are not objects, without other spellings of the same value."""
    first: dict[Any, Any] = {}
    for element in elements:
        first.setdefault(comparable(attribute, element), element)
    merged = list(first.values())
    if len(merged) > limits.elements:
        raise InvalidValue(f"The attribute {where} has {len(merged)} elements. Send at most {limits.elements}.")
    for element in merged:
        if attribute.max_length is not None and len(element) > attribute.max_length:
            raise _too_long(attribute, element, where)
    return merged


def _cleaned_elements(attribute: Attribute, elements: list[Resource], limits: Limits) -> list[Resource] | None:
    cleaned = list(filter(None, [_cleaned_members(attribute, element, limits) for element in elements]))
    merged = cleaned if len(cleaned) == 1 else _in_order(attribute, merged_elements(attribute, cleaned))
    if len(merged) > limits.elements:
        raise InvalidValue(
            f"The attribute {attribute.name} has {len(merged)} elements. Send at most {limits.elements}."
        )
    if sum(element.get("primary") is True for element in merged) > 1:
        raise InvalidValue(f"The attribute {attribute.name} has two primary elements. Send primary true only once.")
    return merged or None


def _in_order(attribute: Attribute, elements: list[Resource]) -> list[Resource]:
    """Return ``elements`` with their members in the order of the table."""
    return [{sub.name: each[sub.name] for sub in attribute.sub_attributes if sub.name in each} for each in elements]
