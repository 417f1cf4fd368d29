"""Paths of PATCH operations: from text to where an operation acts (RFC 7644 §3.5.2, Figure 7)."""

import re
from dataclasses import dataclass, field
from functools import lru_cache

from scimsvc.protocol.attributes import Attribute, AttributePath
from scimsvc.protocol.errors import InvalidPath, quoted
from scimsvc.protocol.filters.nodes import Node, implied_values
from scimsvc.protocol.filters.parser import parse_condition
from scimsvc.protocol.limits import DEFAULTS, Limits
from scimsvc.protocol.names import resolve_name, resolve_sub_attribute


@dataclass(frozen=True, slots=True)
class PatchPath:
    """Where a PATCH operation acts.

    ``target`` ends at a multi-valued attribute where ``condition`` or ``sub_attribute`` follows: the elements
    that meet the condition (all of them without one), or that sub-attribute of each.
    """

    target: AttributePath
    condition: Node | None = None
    sub_attribute: Attribute | None = None
    #: Whether it leads to what this service alone sets.
    read_only: bool = field(init=False, compare=False)
    #: What an element must have to meet the condition; see ``implied_values``.
    implied: dict[str, str | bool] | None = field(init=False, compare=False)

    def __post_init__(self) -> None:
        """Note what follows from it, as the same few paths are asked for it again and again."""
        read_only = any(step.mutability == "readOnly" for step in self.target.steps)
        object.__setattr__(self, "read_only", read_only)
        object.__setattr__(self, "implied", implied_values(self.condition) if self.condition is not None else {})

    def __str__(self) -> str:
        """Name the target for an error text."""
        name = f"{self.target}{'[…]' if self.condition else ''}"
        return f"{name}.{self.sub_attribute.name}" if self.sub_attribute else name


_PATH = re.compile(
    r"""(?P<name>[^\[\]"\s]*[^\[\]"\s.])  (?: \[ (?P<condition> (?: [^"\[\]] | "(?:[^"\\]|\\.)*" )* ) \]
        (?: \.(?P<sub>[^\[\]"\s.]+) )? )?""",
    re.VERBOSE,
)


@lru_cache(maxsize=1024)
def parse_path(text: str, limits: Limits = DEFAULTS) -> PatchPath:
    """Return where the path ``text`` of a PATCH operation leads.

    Raises ``InvalidPath`` where it is malformed, its leaf ``UnknownAttribute`` where it names what no user has,
    and ``InvalidFilter`` where what stands in the brackets is no filter.
    """
    if len(text) > limits.filter_length:
        raise InvalidPath(f"the path has {len(text)} characters; at most {limits.filter_length} are read")
    match = _PATH.fullmatch(text.strip())
    if match is None:
        raise InvalidPath(
            f"the path {quoted(text)} cannot be read; "
            'it should look like title, name.familyName or emails[type eq "work"].value'
        )
    target = resolve_name(match["name"])
    if match["condition"] is None:
        return _without_condition(target)
    attribute = target.attribute
    if not attribute.multi_valued or not attribute.sub_attributes:
        raise InvalidPath(f"the path {quoted(text)} has a filter, but {target} has no elements to choose from")
    condition = parse_condition(match["condition"], attribute, limits)
    sub = resolve_sub_attribute(attribute, match["sub"]).attribute if match["sub"] else None
    return PatchPath(target, condition, sub)


def _without_condition(target: AttributePath) -> PatchPath:
    """Split ``emails.value`` into its multi-valued attribute and the sub-attribute of each element."""
    *parents, attribute = target.steps
    if parents and parents[-1].multi_valued:
        return PatchPath(AttributePath(tuple(parents)), None, attribute)
    return PatchPath(target)
