"""The attributes in an answer: ``attributes`` and ``excludedAttributes`` (RFC 7644 §3.9)."""

import json
from dataclasses import dataclass
from typing import Any

from scimsvc.protocol.attributes import AttributePath, Resource
from scimsvc.protocol.errors import InvalidValue, UnknownAttribute
from scimsvc.protocol.json_text import write_json
from scimsvc.protocol.names import resolve_name
from scimsvc.protocol.resource_types import ALWAYS_RETURNED, ResourceType


@dataclass(frozen=True, slots=True)
class Projection:
    """The attributes to return, or the attributes to leave out. If both are set, ``attributes`` applies."""

    attributes: tuple[AttributePath, ...] = ()
    excluded: tuple[AttributePath, ...] = ()
    #: Whether ``attributes`` was sent, even if it has only unknown names.
    selects: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether every attribute is returned."""
        return not self.selects and not self.excluded

    def includes(self, name: str) -> bool:
        """Return whether a part of the attribute called ``name`` may be returned."""
        if self.selects:
            return any(path.steps[0].name == name for path in self.attributes)
        return not any([step.name for step in path.steps] == [name] for path in self.excluded)

    def apply(self, resource: Resource) -> Resource:
        """Return the selected members of ``resource``, always with ``id`` and ``schemas``."""
        if not self.selects:
            return dict(_without(resource, [[step.name for step in path.steps] for path in self.excluded]) or {})
        selected: Resource = {name: resource[name] for name in ALWAYS_RETURNED if name in resource}
        for path in self.attributes:
            _copy(resource, selected, [step.name for step in path.steps])
        return {name: _without_empty(selected[name]) for name in resource if name in selected}

    def apply_to_text(self, text: str) -> str:
        """Return the JSON ``text`` of a resource with only the selected members."""
        return text if self.is_whole else write_json(self.apply(json.loads(text)))


def parse_projection(attributes: str | None, excluded: str | None, resource_type: ResourceType) -> Projection:
    """Return the projection of two comma-separated lists of names of ``resource_type``. Unknown names are ignored.

    Raises ``InvalidValue`` if a list has more than ``MOST_NAMES`` different names.
    """
    if not attributes and not excluded:
        return _WHOLE
    return Projection(
        _resolve("attributes", attributes or "", resource_type),
        _resolve("excludedAttributes", excluded or "", resource_type),
        selects=bool(attributes),
    )


_WHOLE = Projection()
#: The maximum number of different names in ``attributes`` or ``excludedAttributes``. A user has about 110 attributes.
MOST_NAMES = 500


def _resolve(parameter: str, text: str, resource_type: ResourceType) -> tuple[AttributePath, ...]:
    """Return the different attributes in the list ``text``, the value of ``parameter``."""
    names = dict.fromkeys(text.split(","))
    if len(names) > MOST_NAMES:
        raise InvalidValue(f"The parameter {parameter} has {len(names)} different names. Send at most {MOST_NAMES}.")
    paths: dict[AttributePath, None] = {}
    for name in names:
        try:
            paths[resolve_name(name.strip(), resource_type)] = None
        except UnknownAttribute:
            continue
    return tuple(paths)


def _without_empty(value: Any) -> Any:
    return [element for element in value if element != {}] if isinstance(value, list) else value


def _copy(source: Resource, target: Resource, names: list[str]) -> None:
    name, *rest = names
    value = source.get(name)
    if value is None:
        return
    if not rest:
        target[name] = value
    elif isinstance(value, dict):
        _copy(value, target.setdefault(name, {}), rest)
        if not target[name]:
            del target[name]
    elif isinstance(value, list):
        elements: list[Any] = target.setdefault(name, [{} for _ in value])
        for element, copied in zip(value, elements, strict=True):
            _copy(element, copied, rest)
        if not any(elements):
            del target[name]


def _without(value: Any, paths: list[list[str]]) -> Any:
    """Return ``value`` without the members at ``paths``, or None if an object or list is then empty."""
    if isinstance(value, list):
        return [left for left in (_without(element, paths) for element in value) if left is not None] or None
    if not isinstance(value, dict):
        return value
    gone = {path[0] for path in paths if len(path) == 1 and path[0] not in ALWAYS_RETURNED}
    below = {name: [path[1:] for path in paths if len(path) > 1 and path[0] == name] for name in value}
    left = {
        name: _without(member, below[name]) if below[name] else member
        for name, member in value.items()
        if name not in gone
    }
    return {name: member for name, member in left.items() if member is not None} or None
