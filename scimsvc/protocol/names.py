"""Look up attributes of the table by the names that clients send (RFC 7644 §3.10).

Names are compared without regard to case. The tolerances for spellings of names are applied here.
"""

from functools import lru_cache

from scimsvc.protocol import urns
from scimsvc.protocol.attributes import Attribute, AttributePath, fold
from scimsvc.protocol.errors import UnknownAttribute
from scimsvc.protocol.resource_types import ResourceType


def with_present_urn(name: str, resource_type: ResourceType) -> str:
    """Return ``name``, a URN or the path of an attribute, with the present URN instead of a legacy one.

    ``name`` itself is returned if it has no legacy URN.
    """
    folded = fold(name)
    if folded.startswith(urns.LEGACY):
        for legacy, urn in resource_type.legacy_urns.items():
            if folded == legacy or folded.startswith((legacy + ":", legacy + ".")):
                return urn + name[len(legacy) :]
    return name


def is_singular_name(name: str, resource_type: ResourceType) -> bool:
    """Return whether ``name`` begins with a singular name of a multi-valued attribute."""
    head = _without_core_urn(with_present_urn(name, resource_type), resource_type).partition("[")[0].partition(".")[0]
    return fold(head) in resource_type.singular_names


def has_dot_after_urn(name: str, resource_type: ResourceType) -> bool:
    """Return whether ``name`` has a dot instead of a colon, which Entra's old ``customappsso`` job sends."""
    folded = fold(with_present_urn(name, resource_type))
    return any(folded.startswith(urn + ".") for urn in resource_type.schema_urns)


@lru_cache(maxsize=1024)
def resolve_name(name: str, resource_type: ResourceType) -> AttributePath:
    """Return the path of the attribute called ``name``, without regard to case (RFC 7644 §3.10).

    ``name`` is ``title`` or ``name.familyName``, with or without the URN of the schema, or the bare URN of the
    extension. Raises ``UnknownAttribute``.
    """
    sent, name = name, with_present_urn(name, resource_type)
    folded = fold(name)
    for urn, extension in resource_type.by_urn.items():
        if folded == urn:
            return AttributePath((extension,))
        if folded.startswith((urn + ":", urn + ".")):
            return AttributePath((extension, *_descend(extension, name[len(urn) + 1 :], sent)))
    head, dot, rest = _without_core_urn(name, resource_type).partition(".")
    attribute = resource_type.by_name.get(fold(head))
    if attribute is None or (dot and not rest):
        raise UnknownAttribute(sent)
    return AttributePath((attribute, *(_descend(attribute, rest, sent) if rest else ())))


def resolve_sub_attribute(parent: Attribute, name: str) -> AttributePath:
    """Return the path of the sub-attribute ``name``, relative to ``parent``. Raises ``UnknownAttribute``."""
    return AttributePath(_descend(parent, name, f"{parent.name}.{name}"))


def _descend(parent: Attribute, names: str, whole: str) -> tuple[Attribute, ...]:
    steps: list[Attribute] = []
    for name in names.split("."):
        step = (steps[-1] if steps else parent).find(name)
        if step is None:
            raise UnknownAttribute(whole)
        steps.append(step)
    return tuple(steps)


def _without_core_urn(name: str, resource_type: ResourceType) -> str:
    urn = resource_type.core_urn
    return name[len(urn) + 1 :] if fold(name).startswith((urn + ":", urn + ".")) else name
