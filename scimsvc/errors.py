"""Errors of everything outside SCIM: commands, the enterprise API and the console.

SCIM has a family of its own, ``protocol.errors.ScimError``, because its errors have keywords that the RFC fixes. A use
case raises the errors of the interface that it serves. No name is in both families.
"""

from collections.abc import Mapping, Sequence


class ServiceError(Exception):
    """A use case refuses; the message tells an operator what to change."""

    status = 400

    def __init__(self, detail: str, errors: Mapping[str, Sequence[str]] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        #: What is wrong with each field, where fields are to blame.
        self.errors = dict(errors or {})


class InvalidInput(ServiceError):
    """A value is missing or malformed."""


class NoSuchThing(ServiceError):
    """What was named does not exist in this enterprise."""

    status = 404

    def __init__(self, detail: str, *, what: str | None = None) -> None:
        super().__init__(detail)
        #: What kind of thing was named, where it was named by an id or the like.
        self.what = what


class Conflict(ServiceError):
    """It would collide with what is there."""

    status = 409


class NotAllowed(ServiceError):
    """A rule of the enterprise forbids it."""

    status = 403


class Gone(ServiceError):
    """It was here and is no longer kept."""

    status = 410


class OutOfDate(ServiceError):
    """It is no longer as ``If-Match`` says."""

    status = 412


class TooManyAttempts(ServiceError):
    """It was tried too often; ``retry_after`` says in how many seconds it may be tried again."""

    status = 429

    def __init__(self, detail: str, *, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after
