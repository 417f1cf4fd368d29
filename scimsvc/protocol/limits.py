"""How much a request may ask for. The ranges that operators may choose from are in ``scimsvc.settings``."""

from dataclasses import dataclass

#: Resources on a page, unless the request says otherwise (contract section 5).
DEFAULT_PAGE = 100
#: Characters of userName, externalId and e-mail addresses (contract section 5).
MAX_KEY_LENGTH = 512


# Compared by identity, so that the parsed filters of a cache are found under their limits at no cost.
@dataclass(frozen=True, slots=True, eq=False)
class Limits:
    """The limits of one request; each is the highest number that is accepted."""

    #: Bytes of a body.
    body: int = 1024 * 1024
    #: Bytes of the request line and the headers.
    headers: int = 64 * 1024
    #: Levels of a JSON body.
    json_depth: int = 32
    #: Characters of a string in a JSON body.
    string_length: int = 256 * 1024
    #: Elements of a multi-valued attribute.
    elements: int = 500
    #: Operations of a PATCH.
    patch_operations: int = 1_000
    #: Conditions in all paths of a PATCH together; each is evaluated for every element.
    patch_conditions: int = 1_000
    #: Operations of a Bulk request.
    bulk_operations: int = 1_000
    #: Characters of a filter or path.
    filter_length: int = 8_000
    #: Conditions of a filter.
    filter_conditions: int = 100
    #: Levels of a filter.
    filter_depth: int = 20
    #: Users on a page, whatever ``count`` says.
    page: int = 1_000


DEFAULTS = Limits()
#: For stored users, who were accepted under the limits of their day.
UNLIMITED = Limits(string_length=2**63, elements=2**63)
