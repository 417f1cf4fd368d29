"""Validate and normalize bodies, command arguments and queries outside SCIM with marshmallow.

The schemas are created at the first access to one of them, such as ``schemas.ROLE``. Importing marshmallow takes 5 % of
the start-up time, and the SCIM endpoints do not need it.
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
