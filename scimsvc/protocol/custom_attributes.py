"""Custom attributes: attributes of further extension schemas that an enterprise declares (contract section 5b).

The declarations of an enterprise are stored as one JSON text, from which the type of its users is made once.
"""

import json
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from scimsvc.protocol import urns
from scimsvc.protocol.attributes import Attribute, Resource, Schema, fold
from scimsvc.protocol.json_text import write_json
from scimsvc.protocol.resource_types import ResourceType, extended
from scimsvc.protocol.users import USERS

TYPES = ("string", "boolean", "integer", "decimal", "dateTime")
#: Declarations of one enterprise.
MOST_DECLARATIONS = 100
#: Characters of a full name, and of one string value.
LONGEST_NAME = 300
LONGEST_VALUE = 4_000

_URN = re.compile(r"urn:[a-z0-9][a-z0-9-]{0,30}(?::[a-z0-9._~-]+)*:user", re.IGNORECASE | re.ASCII)
#: RFC 7643 §2.1.
_ATTRIBUTE = re.compile(r"[a-z][a-z0-9$_-]*", re.IGNORECASE | re.ASCII)
#: The syntax of a full name as a JSON Schema pattern.
NAME_PATTERN = (
    "^[uU][rR][nN]:[A-Za-z0-9][A-Za-z0-9-]{0,30}(:[A-Za-z0-9._~-]+)*:[uU][sS][eE][rR]:[A-Za-z][A-Za-z0-9$_-]*$"
)
_TAKEN = frozenset({fold(urns.CORE_USER), fold(urns.ENTERPRISE_USER)})


class Declaration(NamedTuple):
    """A custom attribute. ``name`` is the full name, which begins with the URN of its schema."""

    id: str
    name: str
    type: str
    multi_valued: bool
    case_exact: bool
    #: Whether the attribute is being removed: users may still have values, and requests do not know the attribute.
    removing: bool = False

    @property
    def urn(self) -> str:
        """The URN of the extension."""
        return self.name.rpartition(":")[0]

    @property
    def short_name(self) -> str:
        """The name of the attribute in the extension."""
        return self.name.rpartition(":")[2]


def find_fault(name: str) -> str | None:
    """Return why ``name`` cannot be the full name of a custom attribute, or None if it can."""
    urn, _, attribute = name.rpartition(":")
    if len(name) > LONGEST_NAME:
        return f"Enter at most {LONGEST_NAME} characters."
    if _URN.fullmatch(urn) is None:
        return (
            "Enter the URN of an extension schema that ends in :User, a colon and the attribute, such as "
            "urn:ietf:params:scim:schemas:extension:Contoso:2.0:User:badge."
        )
    if _ATTRIBUTE.fullmatch(attribute) is None or fold(attribute) == "schemas":
        return "Enter an attribute of letters, digits, $, _ and - that begins with a letter, other than schemas."
    if fold(urn) in _TAKEN:
        return "Enter the URN of an extension of your own. The attributes of this schema are fixed."
    return None


@lru_cache(maxsize=64)
def read_declarations(text: str | None) -> tuple[Declaration, ...]:
    """Return the declarations in ``text``, which ``write_declarations`` wrote, in the order of their declaration."""
    return tuple(Declaration(**members) for members in json.loads(text)) if text is not None else ()


def write_declarations(declarations: Iterable[Declaration]) -> str | None:
    """Return ``declarations`` as JSON text, or None if there are none."""
    members = [declaration._asdict() for declaration in declarations]
    return write_json(members) if members else None


@lru_cache(maxsize=64)
def user_type(text: str | None) -> ResourceType:
    """Return the type User with the declarations in ``text``. None is the text of an enterprise without any."""
    by_urn: dict[str, list[Declaration]] = {}
    for declaration in read_declarations(text):
        by_urn.setdefault(declaration.urn, []).append(declaration)
    schemas = [_schema(urn, declarations) for urn, declarations in by_urn.items()]
    return extended(USERS, schemas) if schemas else USERS


def _schema(urn: str, declarations: list[Declaration]) -> Schema:
    name = urn.split(":")[-3] if urn.count(":") > _COLONS_OF_SHORT else urn
    return Schema(urn, name, "Attributes that this enterprise declared.", tuple(map(_attribute, declarations)))


#: A URN with more colons, such as ``urn:…:extension:Contoso:2.0:User``, has the name of the schema before its version.
_COLONS_OF_SHORT = 3


def _attribute(declaration: Declaration) -> Attribute:
    return Attribute(
        declaration.short_name,
        declaration.type,
        multi_valued=declaration.multi_valued,
        case_exact=declaration.case_exact or declaration.type != "string",
        description="A custom attribute.",
        max_length=LONGEST_VALUE if declaration.type == "string" else None,
        hidden=declaration.removing,
    )


def custom_values(user: Resource, resource_type: ResourceType) -> dict[str, object]:
    """Return the custom values of ``user`` by the full names of their attributes."""
    values: dict[str, object] = {}
    for schema in resource_type.extensions:
        if schema.urn != urns.ENTERPRISE_USER and schema.urn in user:
            members = user[schema.urn]
            shown = [each.name for each in schema.attributes if not each.hidden and each.name in members]
            values |= {f"{schema.urn}:{name}": members[name] for name in shown}
    return values


def without_value(user: Resource, declaration: Declaration) -> Resource:
    """Return the canonical ``user`` without its value of the attribute that ``declaration`` declares."""
    left = {name: value for name, value in user[declaration.urn].items() if name != declaration.short_name}
    if left:
        return {**user, declaration.urn: left}
    schemas = [urn for urn in user["schemas"] if urn != declaration.urn]
    return {name: value for name, value in user.items() if name != declaration.urn} | {"schemas": schemas}
