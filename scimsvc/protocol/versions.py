"""Weak entity tags and the preconditions on them (RFC 7644 §3.14, RFC 9110 §8.8.3, §13.1)."""

import re

_ENTITY_TAG = re.compile(r'(?:W/)?"([^"]*)"')


def entity_tag(version: int, role_revision: int | None) -> str:
    """Return the weak ETag of a user's representation.

    ``role_revision`` is the enterprise's for a user on the default role, whose name is part of the answer, and
    None for any other.
    """
    return f'W/"{version}"' if role_revision is None else f'W/"{version}-{role_revision}"'


def names(header: str, tag: str) -> bool:
    """Tell whether ``header`` (of ``If-Match`` or ``If-None-Match``) names ``tag``, by weak comparison.

    Entity tags are weak here, so that ``If-Match`` compares weakly too, as RFC 7644 §3.14's own example does.
    """
    if header.strip() == "*":
        return True
    opaque = _ENTITY_TAG.fullmatch(tag)
    return opaque is not None and opaque[1] in _ENTITY_TAG.findall(header)
