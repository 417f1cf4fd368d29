"""SCIM errors: one class per ``scimType`` keyword or status (RFC 7644 §3.12, Tables 8 and 9)."""

from collections.abc import Iterable, Mapping
from itertools import accumulate

from scimsvc.protocol.advice import Advice
from scimsvc.protocol.reasons import Reason

#: A refused request of 100 bytes gets an answer, and an entry in the log, of about this size.
_LONGEST_DETAIL = 1000


class ScimError(Exception):
    """A refusal that is answered to the client in the format of ``scimsvc.web.errors``.

    The identity provider's administrator reads ``detail`` word for word. It consists of full sentences, names the
    attribute or path, says what is wrong and then what to do, and never repeats a secret. ``advice`` is the part that
    depends on the client; ``advise`` chooses its words.
    """

    status = 400
    scim_type: str | None = None

    def __init__(
        self,
        detail: str,
        headers: Mapping[str, str] | None = None,
        *,
        reason: Reason | None = None,
        advice: Advice | None = None,
    ) -> None:
        super().__init__(detail)
        self._problem, self.advice = detail, advice
        self.detail = ""
        self.advise(for_entra=True)
        #: A finer keyword than ``scim_type``, for programs and logs (see ``reasons``).
        self.reason = reason
        self.headers = dict(headers or {})

    def __str__(self) -> str:
        return self.detail

    @property
    def problem(self) -> str:
        """The first part of ``detail``, without the advice for the client."""
        return self._problem

    def advise(self, *, for_entra: bool) -> None:
        """Set ``detail`` in the words for Entra, or for another identity provider."""
        problem = self._problem
        detail = problem if self.advice is None else self.advice.after(problem, for_entra=for_entra)
        self.detail = detail if len(detail) <= _LONGEST_DETAIL else detail[:_LONGEST_DETAIL] + "…"


class InvalidFilter(ScimError):
    """The filter is malformed, or an operator does not apply to its attribute."""

    scim_type = "invalidFilter"


class UnknownInFilter(InvalidFilter):
    """A filter that is well-formed names an attribute that the type of resource does not have."""


class InvalidSyntax(ScimError):
    """The body does not have the structure that the request needs."""

    scim_type = "invalidSyntax"


class InvalidPath(ScimError):
    """The ``path`` of a PATCH operation is malformed or names an unknown attribute."""

    scim_type = "invalidPath"


class UnknownAttribute(InvalidPath):
    """A well-formed name is not in any schema. It is ignored unless the enterprise refuses unknown attributes."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Unknown attribute {quoted(name)}. See GET /Schemas for the supported attributes.")
        self.name = name


class NoTarget(ScimError):
    """The ``path`` does not lead to a value that can be changed."""

    scim_type = "noTarget"


class InvalidValue(ScimError):
    """A required value is missing, or a value is not valid for its attribute."""

    scim_type = "invalidValue"


class UnknownInOrder(InvalidValue):
    """The ``sortBy`` names an attribute that the type of resource does not have."""


class InvalidCursor(ScimError):
    """The cursor was not issued by this service, or was issued for another query (RFC 9865 §3)."""

    scim_type = "invalidCursor"


class InvalidCount(ScimError):
    """The ``count`` that was sent with a cursor is not a number (RFC 9865 §3)."""

    scim_type = "invalidCount"


class Mutability(ScimError):
    """The mutability of the attribute or the resource does not allow the change."""

    scim_type = "mutability"


class TooMany(ScimError):
    """The filter or the sort order takes longer than the server is willing to calculate."""

    scim_type = "tooMany"


class QuotaExceeded(ScimError):
    """The enterprise has as much as the operator allows. RFC 7644 has no keyword for it.

    The status is 400, because Entra counts it as the failure of one user, shows its detail, and tries again later. A
    403 stops the whole job, and the detail of a 5xx is not shown (docs/design/entra-facts.md, section 9).
    """

    def __init__(self, detail: str) -> None:
        super().__init__(detail, reason=Reason.QUOTA)


class Forbidden(ScimError):
    """The caller is known but not allowed to do this."""

    status = 403


class NotFound(ScimError):
    """The resource or endpoint does not exist in the caller's enterprise."""

    status = 404


class MethodNotAllowed(ScimError):
    """The endpoint exists but does not support this method."""

    status = 405


class Uniqueness(ScimError):
    """Another resource already has this value (RFC 7644 §3.3)."""

    status = 409
    scim_type = "uniqueness"


class FailedDependency(ScimError):
    """The operation depends on another operation of the Bulk request that failed (RFC 7644 §3.7.3)."""

    status = 409


class PreconditionFailed(ScimError):
    """The resource is no longer at the version that ``If-Match`` names (RFC 7644 §3.14)."""

    status = 412


class PayloadTooLarge(ScimError):
    """The body is larger than the limit."""

    status = 413


class UnsupportedMediaType(ScimError):
    """The body is neither ``application/scim+json`` nor ``application/json``."""

    status = 415


class TooManyRequests(ScimError):
    """The enterprise sends more than its rate limit allows (RFC 6585 §4)."""

    status = 429


class NotImplementedHere(ScimError):
    """The endpoint is part of SCIM but not implemented by this service."""

    status = 501


class Unavailable(ScimError):
    """The database cannot be read or written at the moment. The same request may succeed later."""

    status = 503


_LONGEST_QUOTED = 80


def quoted(text: str) -> str:
    """Return ``text`` as errors quote it: in single quotes, on one line, cut after 80 characters."""
    cut = text if len(text) <= _LONGEST_QUOTED else text[:_LONGEST_QUOTED] + "…"
    return "'" + "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in cut) + "'"


_MOST_LISTED = 10
_LONGEST_LIST = 400


def listed(names: Iterable[str]) -> str:
    """Return ``names`` as an error lists them: "A, B, C", and of a long list the first ones "and 12 more".

    The first ones are at most ten names, with at most 400 characters together unless the first name is longer.
    """
    every = list(names)
    ends = accumulate(map(len, every[:_MOST_LISTED]))
    shown = every[: max(1, sum(end <= _LONGEST_LIST for end in ends))]
    more = len(every) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
