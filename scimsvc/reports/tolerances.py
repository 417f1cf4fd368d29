"""Tolerances in words: what the log means by their names."""

from collections.abc import Mapping

from scimsvc.protocol.reading.tolerances import Tolerance

_WORDS: Mapping[str, str] = {
    Tolerance.OP_CASE: "an op written with a capital letter",
    Tolerance.TEXT_BOOLEAN: "true or false sent as text",
    Tolerance.PATH_AS_KEY: "a path as the name of a member",
    Tolerance.SINGULAR_NAME: "email or phoneNumber for emails or phoneNumbers",
    Tolerance.ELEMENT_MADE: "a change of an element that was not there, which was made",
    Tolerance.ONE_ROLE: "a change of the primary role where the only role was not called primary",
    Tolerance.WRAPPED_SCALAR: "a single value in a list of one",
    Tolerance.UNLISTED_ELEMENT: "one element where a list belongs",
    Tolerance.BARE_ELEMENT: "a bare value where an object belongs",
    Tolerance.REMOVE_WITH_VALUE: "a remove that names the values to remove",
    Tolerance.REMOVE_OF_ABSENT: "a remove of what was not there",
    Tolerance.CORE_URN_OBJECT: "core attributes below the core schema's URN",
    Tolerance.EXTENSION_URN_PATH: "an extension as a whole as the path",
    Tolerance.DOT_AFTER_URN: "a dot for the colon after a URN",
    Tolerance.PACKED_ROLE: "a role as the JSON text of an app role assignment",
    Tolerance.UNKNOWN_SCHEMA: "a schema that there is not, in schemas",
    Tolerance.UNTYPED_EMAIL: "an e-mail address without a type, taken as the one of work",
}


def tolerance_in_words(name: str) -> str:
    """Return what the tolerance called ``name`` is, or its name where it is one of an earlier version."""
    return _WORDS.get(name, name)
