"""Describe tolerances: the departures from the RFCs that the log names."""

from collections.abc import Mapping

from scimsvc.protocol.reading.tolerances import Tolerance

_WORDS: Mapping[str, str] = {
    Tolerance.OP_CASE: "an operation name with a capital letter, such as Replace",
    Tolerance.TEXT_BOOLEAN: "true or false sent as text",
    Tolerance.TEXT_NUMBER: "a number sent as text",
    Tolerance.PATH_AS_KEY: "a path as the name of an attribute",
    Tolerance.SINGULAR_NAME: "email or phoneNumber instead of emails or phoneNumbers",
    Tolerance.ELEMENT_MADE: "a change to a missing element, which was created",
    Tolerance.ONE_ROLE: "a change to the primary role, although the only role was not marked as primary",
    Tolerance.WRAPPED_SCALAR: "a list with one element instead of a single value",
    Tolerance.UNLISTED_ELEMENT: "a single element instead of a list",
    Tolerance.BARE_ELEMENT: "a plain value instead of an object",
    Tolerance.REMOVE_WITH_VALUE: "a remove operation that lists the values to remove",
    Tolerance.REMOVE_OF_ABSENT: "a remove operation for a missing value",
    Tolerance.CORE_URN_OBJECT: "core attributes in an object under the core schema's URN",
    Tolerance.EXTENSION_URN_PATH: "a whole extension as the path",
    Tolerance.DOT_AFTER_URN: "a dot instead of a colon after a URN",
    Tolerance.PACKED_ROLE: "a role as the JSON text of an app role assignment",
    Tolerance.UNKNOWN_SCHEMA: "an unknown schema URN in schemas",
    Tolerance.UNTYPED_EMAIL: "an e-mail address without a type, read as the work address",
    Tolerance.OTHER_EMAIL: "an only or primary e-mail address of another type, read as the work address",
    Tolerance.PRIMARY_ADDRESS: "the primary e-mail address, although none is marked, read as the work address",
    Tolerance.LEGACY_URN: "a schema URN of SCIM 1.1",
    Tolerance.NO_SCHEMAS: "a body without schemas",
    Tolerance.NO_OPERATIONS: "a PATCH without operations",
    Tolerance.NO_CONTENT_TYPE: "a body without a Content-Type",
    Tolerance.BYTE_ORDER_MARK: "a body with a byte order mark",
    Tolerance.LISTED_BOOLEAN: "true or false in a list of one",
    Tolerance.BARE_EXTENSION_ATTRIBUTE: "an attribute of the enterprise extension without its URN",
    Tolerance.MANAGER_ID: "managerId instead of the value of the manager",
    Tolerance.BLANK_IN_ADDRESS: "a blank in an e-mail address of a filter, read as +",
    Tolerance.MESSAGE_URN_CASE: "the URN of a message in other letter case",
    Tolerance.NO_ERROR_LIMIT: "failOnErrors 0, read as no limit",
    Tolerance.REPEATED_ROLE: "a role sent twice, in two spellings",
    Tolerance.STATE_KEPT: "an update without a value for active, which leaves the user disabled",
    Tolerance.HIGHEST_ROLE: "several roles, of which the first in the order of the roles counts",
    Tolerance.DISABLING_WINS: "values that could not be accepted, which did not prevent that the user is disabled",
}


def tolerance_in_words(name: str) -> str:
    """Return the description of the tolerance ``name``, or ``name`` itself for a tolerance of an earlier version."""
    return _WORDS.get(name, name)
