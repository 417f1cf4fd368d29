"""Weak entity tags and the preconditions on them (RFC 7644 §3.14, RFC 9110 §8.8.3, §13.1)."""

import re
from dataclasses import dataclass

from scimsvc.protocol.errors import PreconditionFailed

_ENTITY_TAG = re.compile(r'(?:W/)?"([^"]*)"')


def entity_tag(version: int, role_revision: int | None) -> str:
    """Return the weak ETag of a user's representation.

    ``role_revision`` is the enterprise's for a user on the default role, whose name is part of the answer, and
    None for any other.
    """
    return f'W/"{version}"' if role_revision is None else f'W/"{version}-{role_revision}"'


@dataclass(frozen=True, slots=True)
class Preconditions:
    """What must hold of a resource for a request to be done: the headers of these names, or None.

    Entity tags are weak here, so that ``If-Match`` compares weakly too, as RFC 7644 §3.14's own example does.
    """

    if_match: str | None = None
    if_none_match: str | None = None

    def check(self, tag: str) -> None:
        """Raise ``PreconditionFailed`` where a change of the resource with the ETag ``tag`` is not wanted."""
        if self.if_match is not None and not names(self.if_match, tag):
            raise PreconditionFailed(
                f"the resource is at version {tag} now, which If-Match does not name; read it again"
            )
        if self.if_none_match is not None and names(self.if_none_match, tag):
            raise PreconditionFailed(f"the resource is at version {tag} now, which If-None-Match names")

    def is_unchanged(self, tag: str) -> bool:
        """Tell whether a reader has the representation with the ETag ``tag`` already (304)."""
        return self.if_none_match is not None and names(self.if_none_match, tag)


UNCONDITIONAL = Preconditions()


def names(header: str, tag: str) -> bool:
    """Tell whether ``header`` lists ``tag``, by weak comparison, or is ``*``."""
    if header.strip() == "*":
        return True
    opaque = _ENTITY_TAG.fullmatch(tag)
    return opaque is not None and opaque[1] in _ENTITY_TAG.findall(header)
