"""SCIM errors: one class per ``scimType`` keyword or status (RFC 7644 §3.12, Tables 8 and 9)."""

from collections.abc import Iterable, Mapping

from scimsvc.protocol.reasons import Reason


class ScimError(Exception):
    """A failure that the client is told about; rendered by ``scimsvc.web.errors``.

    ``detail`` is shown to the identity provider's administrator word for word: it names the
    attribute or path, says what was wrong and what would be right, and never repeats a secret.
    """

    status = 400
    scim_type: str | None = None

    def __init__(self, detail: str, headers: Mapping[str, str] | None = None, *, reason: Reason | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        #: Finer than ``scim_type``, for programs and logs; see ``reasons``.
        self.reason = reason
        self.headers = dict(headers or {})


class InvalidFilter(ScimError):
    """The filter cannot be read, or compares what cannot be compared."""

    scim_type = "invalidFilter"


class InvalidSyntax(ScimError):
    """The body has not the structure that the request needs."""

    scim_type = "invalidSyntax"


class InvalidPath(ScimError):
    """The ``path`` of a PATCH operation is malformed, or names what no user has."""

    scim_type = "invalidPath"


class UnknownAttribute(InvalidPath):
    """A well-formed name that stands in no schema; ignored unless the enterprise rejects it."""

    def __init__(self, name: str) -> None:
        super().__init__(f"no attribute is called {quoted(name)}; GET /Schemas lists those that there are")
        self.name = name


class NoTarget(ScimError):
    """The ``path`` leads to nothing that could be changed."""

    scim_type = "noTarget"


class InvalidValue(ScimError):
    """A required value is missing, or a value does not suit its attribute."""

    scim_type = "invalidValue"


class InvalidCursor(ScimError):
    """The cursor was not given by this service, or not for this question (RFC 9865 §3)."""

    scim_type = "invalidCursor"


class InvalidCount(ScimError):
    """The ``count`` beside a cursor is no number (RFC 9865 §3)."""

    scim_type = "invalidCount"


class Mutability(ScimError):
    """The change is not compatible with the attribute's or the resource's mutability."""

    scim_type = "mutability"


class Unauthorized(ScimError):
    """The request bears no valid access token (RFC 6750 §3)."""

    status = 401


class Forbidden(ScimError):
    """The caller is known and may not do this."""

    status = 403


class NotFound(ScimError):
    """No such resource or endpoint, as far as this enterprise can see."""

    status = 404


class MethodNotAllowed(ScimError):
    """The endpoint is there and does not know this method."""

    status = 405


class Uniqueness(ScimError):
    """Another resource already holds this value (RFC 7644 §3.3)."""

    status = 409
    scim_type = "uniqueness"


class FailedDependency(ScimError):
    """The operation depends on another one of the Bulk request, which failed (RFC 7644 §3.7.3)."""

    status = 409


class PreconditionFailed(ScimError):
    """The resource is no longer at the version that ``If-Match`` names (RFC 7644 §3.14)."""

    status = 412


class PayloadTooLarge(ScimError):
    """The body is over the limit."""

    status = 413


class UnsupportedMediaType(ScimError):
    """The body is neither ``application/scim+json`` nor ``application/json``."""

    status = 415


class TooManyRequests(ScimError):
    """The enterprise sends more than its rate limit allows (RFC 6585 §4)."""

    status = 429


class InternalError(ScimError):
    """A fault of this service; the request ID leads to the log line that has the cause."""

    status = 500


class NotImplementedHere(ScimError):
    """The endpoint is part of SCIM and not of this service."""

    status = 501


class Unavailable(ScimError):
    """The database cannot be reached or written just now; the same request may succeed later."""

    status = 503


_LONGEST_QUOTED = 80


def quoted(text: str) -> str:
    """Return ``text`` as an error quotes it: in quotes, on one line, cut if it is long."""
    cut = text if len(text) <= _LONGEST_QUOTED else text[:_LONGEST_QUOTED] + "…"
    return "'" + "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in cut) + "'"


_MOST_LISTED = 10


def listed(names: Iterable[str]) -> str:
    """Return ``names`` as an error lists them: "A, B, C", and of a long list the first ten "and 12 more"."""
    every = list(names)
    more = len(every) - _MOST_LISTED
    return ", ".join(every[:_MOST_LISTED]) + (f" and {more} more" if more > 0 else "")
