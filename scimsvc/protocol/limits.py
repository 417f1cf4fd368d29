"""How much of everything a request may ask for; discovery announces what clients should know."""

from dataclasses import dataclass, field
from typing import Any

#: Resources a page, unless the request says (contract section 5).
DEFAULT_PAGE = 100
#: Characters of userName, externalId and e-mail addresses (contract section 5).
MAX_KEY_LENGTH = 512


def _limit(default: int, least: int, most: int, description: str) -> Any:
    return field(default=default, metadata={"range": (least, most), "description": description})


# Compared by identity, so that a parsed filter is found again under its limits at no cost.
@dataclass(frozen=True, slots=True, eq=False)
class Limits:
    """What an operator may set, each within the range in which this service answers soon and both databases follow."""

    body: int = _limit(1024 * 1024, 16 * 1024, 16 * 1024 * 1024, "bytes of a body")
    headers: int = _limit(64 * 1024, 8 * 1024, 1024 * 1024, "bytes of a request line and headers")
    json_depth: int = _limit(32, 10, 100, "levels of a JSON body")
    string_length: int = _limit(256 * 1024, 1024, 16 * 1024 * 1024, "characters of a string of a JSON body")
    elements: int = _limit(500, 10, 10_000, "elements of a multi-valued attribute")
    patch_operations: int = _limit(1_000, 10, 10_000, "operations of a PATCH")
    #: In all the paths together, as each is asked of every element.
    patch_conditions: int = _limit(1_000, 10, 10_000, "conditions in all paths of a PATCH")
    bulk_operations: int = _limit(1_000, 1, 10_000, "operations of a Bulk request")
    filter_length: int = _limit(8_000, 200, 20_000, "characters of a filter or path")
    filter_conditions: int = _limit(100, 5, 200, "conditions of a filter")
    filter_depth: int = _limit(20, 2, 25, "levels of a filter")
    page: int = _limit(1_000, 1, 10_000, "users a page, whatever `count` says")


DEFAULTS = Limits()
#: For what is stored already, which was taken under the limits of its day.
UNLIMITED = Limits(string_length=2**63, elements=2**63)
