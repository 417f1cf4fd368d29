"""Bodies, command arguments and queries outside SCIM, validated and normalised by marshmallow.

The schemas are created when one of them is first used, as ``schemas.ROLE``: importing marshmallow takes a twentieth of
the start, and the SCIM endpoints need none of them.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scimsvc.schemas.bodies import *  # noqa: F403  # what ``__getattr__`` returns
    from scimsvc.schemas.queries import *  # noqa: F403


def __getattr__(name: str) -> Any:
    """Return the schema called ``name`` (PEP 562)."""
    if name.isupper():
        from scimsvc.schemas import bodies, queries

        for module in (bodies, queries):
            if hasattr(module, name):
                return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
