"""Cache what is read from the short texts that clients repeat, such as paths and filters."""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar

from scimsvc.protocol.limits import DEFAULTS, Limits
from scimsvc.protocol.resource_types import ResourceType

Result = TypeVar("Result")

#: Entra's paths have up to 100 characters. The nodes of a text take about thirty times its size, so that a cache of 256
#: texts takes at most 4 MB.
_LONGEST = 500
_MOST_TEXTS = 256


def cached_for_short_texts(read: Callable[[str, ResourceType, Limits], Result]) -> Callable[..., Result]:
    """Return ``read`` with a cache of its results for short texts. Errors are not cached."""
    cached = lru_cache(maxsize=_MOST_TEXTS)(read)

    @wraps(read)
    def read_cached(text: str, resource_type: ResourceType, limits: Limits = DEFAULTS) -> Result:
        return cached(text, resource_type, limits) if len(text) <= _LONGEST else read(text, resource_type, limits)

    return read_cached
