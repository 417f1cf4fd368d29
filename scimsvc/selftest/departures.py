"""Find where a request departs from RFC 7644, as those of identity providers do.

A server other than scimsvc may refuse such a request. The provider then does not work with it, but it is not at fault.
"""

import re
from collections.abc import Iterator
from typing import Any

_OPERATIONS = ("add", "remove", "replace")
#: A path to an attribute of the elements that a filter selects.
_VALUE_PATH = re.compile(r"\[.*\]\.")
_MICROSOFT = "http://schemas.microsoft.com/"
_LEGACY = re.compile(r"urn:scim:schemas:|extension:enterprise:1\.0")


def find_departures(body: Any) -> Iterator[str]:
    """Yield the departures of a request's body from RFC 7644, in words. A departure may come more than once."""
    if not isinstance(body, dict):
        return
    if _is_text_boolean(body.get("active")):
        yield "booleans as text"
    if any(isinstance(urn, str) and _LEGACY.search(urn) for urn in body.get("schemas") or ()):
        yield "schema URNs of drafts"
    if any(isinstance(urn, str) and urn.startswith(_MICROSOFT) for urn in body.get("schemas") or ()):
        yield "a schema that the server does not publish"
    if not body.get("schemas"):
        yield "a body without schemas"
    for operation in body.get("Operations") or ():
        yield from _of_operation(operation)


def _of_operation(operation: dict[str, Any]) -> Iterator[str]:
    value, path = operation.get("value"), operation.get("path")
    if operation["op"] not in _OPERATIONS:
        yield "capital letters in op"
    if operation["op"].lower() == "remove" and value is not None:
        yield "a removal with a value"
    if path is not None and _VALUE_PATH.search(path):
        yield "a value path that may match no element"
    if path == "active" and _is_text_boolean(value):
        yield "booleans as text"
    if path is None and isinstance(value, dict):
        yield from _of_pathless(value)
    if isinstance(value, list) and any(isinstance(each, dict) and "$ref" in each for each in value):
        yield "members with an empty $ref"


def _of_pathless(value: dict[str, Any]) -> Iterator[str]:
    if any("." in name or ":" in name for name in value):
        yield "paths as names of a value without a path"
    if "id" in value or "schemas" in value:
        yield "attributes that cannot be changed in a value"
    if _is_text_boolean(value.get("active")):
        yield "booleans as text"


def _is_text_boolean(value: Any) -> bool:
    return isinstance(value, str) and value.lower() in ("true", "false")
