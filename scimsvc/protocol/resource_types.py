"""Types of resources: the schemas of each, its attributes by name, and its rules (RFC 7643 §6).

A type is a value that is passed to all code that reads, checks, filters or describes resources. Types are compared by
identity, so that they are a cheap part of the keys of caches.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from scimsvc.protocol.attributes import EXTERNAL_ID, ID, META, SCHEMAS, Attribute, Resource, Schema, fold
from scimsvc.protocol.reading.tolerances import RequestNotes

#: The attributes of every resource (RFC 7643 §3.1), before and after those of its schemas.
_FIRST, _LAST = (SCHEMAS, ID, EXTERNAL_ID), (META,)
#: The names that every answer contains.
ALWAYS_RETURNED = tuple(each.name for each in (*_FIRST, *_LAST) if each.returned == "always")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ResourceType:
    """A type of resource. The first fields describe it, and the others are derived from them once."""

    name: str
    #: The path below the Tenant URL, such as ``/Users``.
    endpoint: str
    core: Schema
    #: Adds the derived attributes to a resource whose attributes are clean, and checks its mandatory ones. It may
    #: change the resource, but none of the values in it. Raises ``InvalidValue``.
    complete: Callable[[Resource, RequestNotes], None]
    #: The extensions, in the order of answers.
    extensions: tuple[Schema, ...] = ()
    #: The tolerated singular names of multi-valued attributes, folded (contract section 5).
    singular_names: Mapping[str, Attribute] = field(default_factory=dict)
    #: The present URNs by tolerated legacy URN, folded, longest first.
    legacy_urns: Mapping[str, str] = field(default_factory=dict)

    #: Every attribute, in the order of answers.
    attributes: tuple[Attribute, ...] = field(init=False)
    #: The attributes in which two resources may differ: all but the derived ``schemas``.
    compared: tuple[Attribute, ...] = field(init=False)
    #: The attributes outside of extensions by folded name, with ``singular_names``.
    by_name: Mapping[str, Attribute] = field(init=False)
    #: The attributes of the extensions by folded URN, longest first, because a URN may begin with another one.
    by_urn: Mapping[str, Attribute] = field(init=False)
    #: The folded URN of the core schema.
    core_urn: str = field(init=False)
    #: The folded URNs of all schemas.
    schema_urns: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        """Set the derived fields."""
        extensions = tuple(schema.extension for schema in self.extensions)
        outside = (*_FIRST, *self.core.attributes, *_LAST)
        self._set("attributes", (*_FIRST, *self.core.attributes, *extensions, *_LAST))
        self._set("compared", tuple(each for each in self.attributes if each is not SCHEMAS))
        self._set("by_name", {**self.singular_names, **{fold(each.name): each for each in outside}})
        by_urn = sorted(((fold(each.name), each) for each in extensions), key=lambda item: len(item[0]), reverse=True)
        self._set("by_urn", dict(by_urn))
        self._set("core_urn", fold(self.core.urn))
        self._set("schema_urns", frozenset({self.core_urn, *self.by_urn}))

    def __repr__(self) -> str:
        """Return the name, which identifies the type to a reader."""
        return f"<ResourceType {self.name}>"

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)


def extended(resource_type: ResourceType, extensions: Iterable[Schema]) -> ResourceType:
    """Return a type with the further ``extensions``, after those of ``resource_type``."""
    return replace(resource_type, extensions=(*resource_type.extensions, *extensions))
