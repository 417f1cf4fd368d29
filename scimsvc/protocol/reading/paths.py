"""The parser of PATCH paths (RFC 7644 §3.5.2, Figure 7)."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from scimsvc.protocol.attributes import Attribute, AttributePath, element_of
from scimsvc.protocol.errors import InvalidPath, UnknownAttribute, quoted
from scimsvc.protocol.filters.nodes import Comparison, Node, conditions, implied_values
from scimsvc.protocol.filters.parser import parse_condition
from scimsvc.protocol.limits import Limits
from scimsvc.protocol.names import resolve_name, resolve_sub_attribute
from scimsvc.protocol.resource_types import ResourceType
from scimsvc.protocol.short_texts import cached_for_short_texts


@dataclass(frozen=True, slots=True)
class PatchPath:
    """The target of a PATCH operation.

    If ``condition`` or ``sub_attribute`` is set, ``target`` is a multi-valued attribute. The operation then changes the
    elements that meet the condition (without one, all elements), or the sub-attribute of each of them.
    """

    target: AttributePath
    condition: Node | None = None
    sub_attribute: Attribute | None = None
    #: Whether only this service can set the target.
    read_only: bool = field(init=False, compare=False)
    #: The sub-attributes that an element must have to meet the condition; see ``implied_values``.
    implied: dict[str, str | bool] | None = field(init=False, compare=False)
    #: The number of single conditions, each of which is evaluated for every element.
    conditions: int = field(init=False, compare=False)
    #: How many conditions search a sub-attribute for a part of its value, by name.
    searched: Mapping[str, int] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        """Set the derived fields once, because paths are cached and used often."""
        read_only = any(step.mutability == "readOnly" for step in self.target.steps)
        object.__setattr__(self, "read_only", read_only)
        object.__setattr__(self, "implied", implied_values(self.condition) if self.condition is not None else {})
        single = list(conditions(self.condition)) if self.condition is not None else []
        searched = (
            each.path.attribute.name for each in single if isinstance(each, Comparison) and each.operator == "co"
        )
        object.__setattr__(self, "conditions", len(single))
        object.__setattr__(self, "searched", Counter(searched))

    def __str__(self) -> str:
        """Return the name of the target for errors."""
        name = f"{self.target}{'[…]' if self.condition else ''}"
        return f"{name}.{self.sub_attribute.name}" if self.sub_attribute else name


_PATH = re.compile(
    r"""(?P<name>[^\[\]"\s]*[^\[\]"\s.])  (?: \[ (?P<condition> (?: [^"\[\]] | "(?:[^"\\]|\\.)*" )* ) \]
        (?: \.(?P<sub>[^\[\]"\s.]+) )? )?""",
    re.VERBOSE,
)


#: A name that an attribute of some schema may have (RFC 7643 §2.1), after any URN. JSON Pointers begin with a slash.
_NAME = re.compile(r"(?:[^:]*:)*[\w$-]+(?:\.[\w$-]+)*")


def _malformed(text: str) -> InvalidPath:
    return InvalidPath(
        f"The path {quoted(text)} is not valid. "
        'Send one such as title, name.familyName or emails[type eq "work"].value.'
    )


@cached_for_short_texts
def parse_path(text: str, resource_type: ResourceType, limits: Limits) -> PatchPath:
    """Return the target of the path ``text`` of a PATCH operation on a resource of ``resource_type``.

    Raises ``InvalidPath`` if it is malformed, ``UnknownAttribute`` (a subclass) if it names an unknown attribute, and
    ``InvalidFilter`` if the text in the brackets is not a valid filter.
    """
    if len(text) > limits.filter_length:
        raise InvalidPath(f"The path has {len(text)} characters. Shorten it to at most {limits.filter_length}.")
    match = _PATH.fullmatch(text.strip())
    if match is None:
        raise _malformed(text)
    try:
        target = resolve_name(match["name"], resource_type)
    except UnknownAttribute:
        if _NAME.fullmatch(match["name"]) is None:
            raise _malformed(text) from None
        raise
    if match["condition"] is None:
        return _without_condition(target)
    attribute = target.attribute
    if not attribute.multi_valued:
        raise InvalidPath(f"The path {quoted(text)} has a filter, but {target} has no elements. Remove the brackets.")
    condition = parse_condition(match["condition"], element_of(attribute), limits)
    sub = resolve_sub_attribute(attribute, match["sub"]).attribute if match["sub"] else None
    return PatchPath(target, condition, sub)


def _without_condition(target: AttributePath) -> PatchPath:
    """Return the path without a condition. ``emails.value`` becomes ``emails`` and the sub-attribute ``value``."""
    *parents, attribute = target.steps
    if parents and parents[-1].multi_valued:
        return PatchPath(AttributePath(tuple(parents)), None, attribute)
    return PatchPath(target)
