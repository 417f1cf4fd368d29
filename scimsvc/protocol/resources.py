"""The canonical form of a User, and the rules for a User as a whole (contract section 5).

Every write passes through here after its last operation. It sorts attributes in the order of the table, removes empty
elements, merges exact duplicates, derives ``schemas`` and checks that the mandatory attributes are present.
"""

import re
from collections.abc import Collection
from typing import Any

from scimsvc.protocol import urns
from scimsvc.protocol.attributes import (
    ACTIVE,
    EMAILS,
    EXTENSION,
    SCHEMAS,
    USER_ATTRIBUTES,
    USER_NAME,
    Attribute,
    fold,
)
from scimsvc.protocol.errors import InvalidValue, quoted
from scimsvc.protocol.limits import Limits
from scimsvc.protocol.patch import Resource
from scimsvc.protocol.reading.tolerances import RequestNotes, Tolerance
from scimsvc.protocol.reasons import Reason

# One @ between a local part and a domain of non-empty labels, in any script, without spaces or list punctuation.
_PLAIN = r"[^\s\x00-\x1f\x7f@<>()\[\],;:\\\"{more}]+"
_LOCAL, _LABEL = _PLAIN.replace("{more}", ""), _PLAIN.replace("{more}", ".")
_EMAIL_ADDRESS = re.compile(rf"{_LOCAL}@{_LABEL}(?:\.{_LABEL})*")


def canonical_user(resource: Resource, notes: RequestNotes) -> Resource:
    """Return ``resource`` in canonical form, without ``meta``. Raises ``InvalidValue``."""
    user: Resource = {}
    for attribute in USER_ATTRIBUTES:
        value = _cleaned(attribute, resource.get(attribute.name), attribute.name, notes.limits)
        if value is not None and attribute.mutability != "readOnly":
            user[attribute.name] = value
    if "id" in resource:
        user["id"] = resource["id"]
    return _completed(user, notes)


def canonical_again(resource: Resource, touched: Collection[Attribute], notes: RequestNotes) -> Resource:
    """Return ``resource`` in canonical form, where only the attributes ``touched`` may not be canonical yet.

    Raises ``InvalidValue``.
    """
    user = dict(resource)
    for attribute in touched:
        value = _cleaned(attribute, user.get(attribute.name), attribute.name, notes.limits)
        if value is not None:
            user[attribute.name] = value
        else:
            user.pop(attribute.name, None)
    return _completed(user, notes)


def _completed(user: Resource, notes: RequestNotes) -> Resource:
    """Return a User of clean attributes with the derived ones, in the order of the table."""
    user.setdefault(ACTIVE.name, True)
    _type_the_only_address(user, notes)
    if USER_NAME.name not in user:
        raise InvalidValue(
            "The attribute userName is missing. In Entra, map it to an attribute of every user, such as displayName.",
            reason=Reason.NO_USER_NAME,
        )
    work_address(user)
    user[SCHEMAS.name] = [urns.CORE_USER] + ([urns.ENTERPRISE_USER] if EXTENSION.name in user else [])
    return {attribute.name: user[attribute.name] for attribute in USER_ATTRIBUTES if attribute.name in user}


def work_address(user: Resource) -> str:
    """Return the value of ``emails[type eq "work"]``, the key of a user.

    Raises ``InvalidValue`` if it is missing, malformed or not unique within the user.
    """
    addresses = [each["value"] for each in user.get(EMAILS.name, []) if each.get("type") == "work" or is_work(each)]
    if not addresses:
        raise InvalidValue(
            'The attribute emails[type eq "work"].value is missing. '
            "In Entra, map it to an attribute that every user has, such as mail or userPrincipalName.",
            reason=Reason.NO_EMAIL,
        )
    if len(addresses) > 1 and len({fold(address) for address in addresses}) > 1:
        raise InvalidValue(
            'The attribute emails has two different addresses of type "work". Send only one work address.',
            reason=Reason.SEVERAL_EMAILS,
        )
    address = str(addresses[0])
    if not is_email_address(address):
        raise InvalidValue(
            f'The value {quoted(address)} of emails[type eq "work"].value is not a valid e-mail address. '
            "Send one such as name@example.com.",
            reason=Reason.MALFORMED_EMAIL,
        )
    return address


def is_email_address(text: str) -> bool:
    """Return whether ``text`` has the form of an e-mail address."""
    return _EMAIL_ADDRESS.fullmatch(text) is not None


def differences(before: Resource, after: Resource) -> list[tuple[str, Any, Any]]:
    """Return name, old value and new value of each difference between two Users in canonical form.

    The differences are in the order of the table. A member of a complex attribute is called ``name.familyName``, and an
    attribute of the extension has its short name. An absent value is None.
    """
    changes: list[tuple[str, Any, Any]] = []
    for attribute in [each for each in _DIFFERING if before.get(each.name) != after.get(each.name)]:
        old, new = before.get(attribute.name), after.get(attribute.name)
        if attribute.multi_valued or not attribute.sub_attributes:
            changes.append((attribute.name, old, new))
            continue
        prefix = "" if attribute is EXTENSION else f"{attribute.name}."
        members = ((sub.name, (old or {}).get(sub.name), (new or {}).get(sub.name)) for sub in attribute.sub_attributes)
        changes += [(prefix + name, was, now) for name, was, now in members if was != now]
    return changes


_DIFFERING = tuple(attribute for attribute in USER_ATTRIBUTES if attribute is not SCHEMAS)


def changed_attributes(before: Resource, after: Resource) -> list[str]:
    """Return the names of the attributes that differ between two Users in canonical form; see ``differences``."""
    return [name for name, _, _ in differences(before, after)]


def is_work(element: Resource) -> bool:
    """Return whether ``element`` has the type work, without regard to case."""
    kind = element.get("type", "")
    return kind == "work" or fold(kind) == "work"


def _cleaned(attribute: Attribute, value: Any, where: str, limits: Limits) -> Any:
    """Return ``value`` without empty members, or None if it is empty itself (RFC 7643 §2.5)."""
    if value in (None, "", [], {}):
        return None
    if attribute.multi_valued and attribute.sub_attributes:
        return _cleaned_elements(attribute, value, limits)
    if attribute.type == "complex":
        return _cleaned_members(attribute, value, limits)
    if attribute.max_length is not None and len(value) > attribute.max_length:
        raise InvalidValue(
            f"The attribute {where} has {len(value)} characters. Shorten it to at most {attribute.max_length}."
        )
    return value


def _cleaned_members(attribute: Attribute, value: Resource, limits: Limits) -> Resource | None:
    members = {}
    for sub_attribute in attribute.sub_attributes:
        raw = value.get(sub_attribute.name)
        if raw is None:
            continue
        member = _cleaned(sub_attribute, raw, f"{attribute.name}.{sub_attribute.name}", limits)
        if member is not None:
            members[sub_attribute.name] = member
    if not attribute.multi_valued:
        return members or None
    # An element without a value is empty; an address is empty without any of its parts.
    says = "value" in members if attribute.value is not None else members.keys() - {"type", "primary"}
    return members if says else None


def _cleaned_elements(attribute: Attribute, elements: list[Resource], limits: Limits) -> list[Resource] | None:
    cleaned = filter(None, (_cleaned_members(attribute, element, limits) for element in elements))
    merged = list({frozenset(element.items()): element for element in cleaned}.values())
    if len(merged) > limits.elements:
        raise InvalidValue(
            f"The attribute {attribute.name} has {len(merged)} elements. Send at most {limits.elements}."
        )
    if sum(element.get("primary") is True for element in merged) > 1:
        raise InvalidValue(f"The attribute {attribute.name} has two primary elements. Send primary true only once.")
    return merged or None


def _type_the_only_address(user: Resource, notes: RequestNotes) -> None:
    addresses = user.get(EMAILS.name, [])
    if len(addresses) == 1 and "type" not in addresses[0]:
        notes.tolerate(Tolerance.UNTYPED_EMAIL)
        typed = addresses[0] | {"type": "work"}
        user[EMAILS.name] = [{sub.name: typed[sub.name] for sub in EMAILS.sub_attributes if sub.name in typed}]
