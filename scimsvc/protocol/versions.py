"""Weak entity tags, and preconditions on them (RFC 7644 §3.14, RFC 9110 §8.8.3, §13.1)."""

import re
from dataclasses import dataclass

from scimsvc.protocol.errors import PreconditionFailed

_ENTITY_TAG = re.compile(r'(?:W/)?"([^"]*)"')


#: The part of a modification time in a tag, from the day of the month to the milliseconds.
MARK = slice(8, 23)


def entity_tag(version: int, modified_at: str, role_revision: int | None) -> str:
    """Return the weak ETag of the representation of a user or a group.

    A database that was restored from a backup counts versions again that clients have seen. The end of the modification
    time distinguishes them. ``role_revision`` is the enterprise's for a user on the default role, because the name of
    that role is part of the answer. It is None for others.
    """
    version_and_time = f"{version}-{modified_at[MARK]}"
    return f'W/"{version_and_time}"' if role_revision is None else f'W/"{version_and_time}-{role_revision}"'


@dataclass(frozen=True, slots=True)
class Preconditions:
    """The headers ``If-Match`` and ``If-None-Match`` of a request, or None.

    Entity tags are weak, so that ``If-Match`` compares weakly too. The example in RFC 7644 §3.14 does the same.
    """

    if_match: str | None = None
    if_none_match: str | None = None

    def check(self, tag: str) -> None:
        """Raise ``PreconditionFailed`` if the headers forbid a change of the resource with the ETag ``tag``."""
        if self.if_match is not None and not names(self.if_match, tag):
            raise PreconditionFailed(
                f"The resource is at version {tag} now, which If-Match does not name. Read it again."
            )
        if self.if_none_match is not None and names(self.if_none_match, tag):
            raise PreconditionFailed(
                f"The resource is at version {tag} now, which If-None-Match names. Remove that header."
            )

    def is_unchanged(self, tag: str) -> bool:
        """Return whether the client already has the representation with the ETag ``tag`` (304)."""
        return self.if_none_match is not None and names(self.if_none_match, tag)


UNCONDITIONAL = Preconditions()


def names(header: str, tag: str) -> bool:
    """Return whether ``header`` is ``*`` or lists ``tag``, by weak comparison."""
    if header.strip() == "*":
        return True
    opaque = _ENTITY_TAG.fullmatch(tag)
    return opaque is not None and opaque[1] in _ENTITY_TAG.findall(header)
