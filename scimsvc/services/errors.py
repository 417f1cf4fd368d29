"""Refusals outside SCIM: of the commands, and of the enterprise API."""


class ServiceError(Exception):
    """A use case refuses; the message tells an operator what to change."""

    status = 400


class InvalidInput(ServiceError):
    """A value is missing or malformed."""


class NoSuchThing(ServiceError):
    """What was named does not exist in this enterprise."""

    status = 404


class Conflict(ServiceError):
    """It would collide with what is there."""

    status = 409
