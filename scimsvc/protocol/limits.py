"""The limits on requests. ``scimsvc.settings`` has the ranges from which operators can choose."""

from dataclasses import dataclass

#: The default number of resources on a page (contract section 5).
DEFAULT_PAGE = 100
#: The bytes of users after which a page ends. The user with whom it exceeds them is its last one.
PAGE_BYTES = 4 * 1024 * 1024
#: The maximum length of userName, externalId and e-mail addresses, in characters (contract section 5).
MAX_KEY_LENGTH = 512


# Compared by identity, so that limits are a cheap part of the keys of caches.
@dataclass(frozen=True, slots=True, eq=False)
class Limits:
    """The limits of one request. Each is the highest accepted number."""

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
    #: Members of groups that one request names.
    members: int = 10_000
    #: Bytes of a user's document, which is the JSON text of a response without ``meta``.
    document: int = 256 * 1024
    #: Operations of a PATCH.
    patch_operations: int = 1_000
    #: Conditions in all paths of a PATCH together. Each is evaluated for every element.
    patch_conditions: int = 1_000
    #: Operations of a Bulk request.
    bulk_operations: int = 1_000
    #: Characters of a filter or path.
    filter_length: int = 8_000
    #: Conditions of a filter.
    filter_conditions: int = 100
    #: Levels of a filter.
    filter_depth: int = 20
    #: Users on a page, even if ``count`` is larger.
    page: int = 1_000
    #: Seconds for which the database may work on one read.
    read_seconds: int = 5
    #: Seconds for which the database may work on one write, and on one request as a whole.
    write_seconds: int = 15


DEFAULTS = Limits()
#: For stored users, who were accepted under the limits of their time.
UNLIMITED = Limits(string_length=2**63, elements=2**63, members=2**63, document=2**63)
