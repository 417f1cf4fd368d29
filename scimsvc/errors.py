"""Errors of commands, the enterprise API and the console.

SCIM has its own errors, ``protocol.errors.ScimError``, because the RFC defines keywords for them. A use case raises the
errors of the interface that it serves. No name exists in both families.
"""

from collections.abc import Mapping, Sequence


class ServiceError(Exception):
    """A use case refuses the request. The message says what is wrong and what to do, in full sentences."""

    status = 400

    def __init__(self, detail: str, errors: Mapping[str, Sequence[str]] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        #: The problems of each invalid field, as phrases without a full stop.
        self.errors = dict(errors or {})


class InvalidInput(ServiceError):
    """A value is missing or malformed."""


class NoSuchThing(ServiceError):
    """The requested object does not exist in this enterprise."""

    status = 404

    def __init__(self, detail: str, *, what: str | None = None) -> None:
        super().__init__(detail)
        #: The kind of object, such as "user", if it was requested by an ID or a name.
        self.what = what


class LinkEnded(NoSuchThing):
    """A one-time link was used, has expired, or was replaced."""

    def __init__(self) -> None:
        super().__init__("This link was used or has expired. Ask for a new link.", what="link")


class Conflict(ServiceError):
    """The change conflicts with the present state."""

    status = 409


class QuotaReached(Conflict):
    """The enterprise has as much as the operator of the service allows."""


class NotAllowed(ServiceError):
    """A rule of the enterprise forbids the change."""

    status = 403


class ReadOnlyAccount(NotAllowed):
    """The account is an auditor's, which can only read."""


class EnterpriseSuspended(NotAllowed):
    """The operator suspended the enterprise."""


class Gone(ServiceError):
    """The requested data was deleted."""

    status = 410


class OutOfDate(ServiceError):
    """The object no longer has the version in ``If-Match``."""

    status = 412


class TooManyAttempts(ServiceError):
    """Too many attempts failed. The next one is accepted after ``retry_after`` seconds."""

    status = 429

    def __init__(self, detail: str, *, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after
        self.headers = {"Retry-After": str(retry_after)}
