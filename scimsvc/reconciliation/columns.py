"""Recognize the columns of a directory export, whatever program wrote it.

Entra's download of users has ``userPrincipalName``, ``displayName``, ``surname``, ``mail``, ``givenName``, ``objectId``
or ``id``, and ``accountEnabled``. Its download of group members also has ``objectType``. Okta has ``login``, ``email``,
``firstName``, ``lastName`` and ``status``. Other files use the attribute names of SCIM or of the enterprise API.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from scimsvc.errors import InvalidInput
from scimsvc.protocol.errors import listed, quoted

#: The attributes that a file can have, in the spelling of ``--column``, and their columns without case and punctuation.
#: The first one that the file has is read.
CANDIDATES: Mapping[str, Sequence[str]] = {
    "externalId": ("externalid", "objectid", "userid", "oktaid", "id"),
    "userName": ("username", "userprincipalname", "login", "profilelogin", "oktausername"),
    "email": (
        *("email", "workemail", "emailsvalue", "emailstypeeqworkvalue", "emails", "mail", "emailaddress"),
        *("primaryemail", "profileemail"),
    ),
    "active": ("active", "accountenabled", "status", "userstatus", "oktastatus", "enabled"),
    "givenName": ("givenname", "firstname", "namegivenname", "profilefirstname"),
    "familyName": ("familyname", "lastname", "surname", "namefamilyname", "profilelastname"),
    "displayName": ("displayname", "profiledisplayname"),
    "role": ("role", "roles", "rolesvalue", "approle"),
}
#: The columns that say whether a line is about a user: Entra's members of groups can be groups and devices.
OBJECT_TYPES = ("objecttype", "membertype", "odatatype")
#: The attributes that people can be matched by.
IDENTIFYING = ("externalId", "userName", "email")
_LONGEST_NAME = 60
#: ``User principal name [userPrincipalName] Required``, as in Entra's templates.
_TEMPLATE = re.compile(r"\[([A-Za-z]+)\]")
_PUNCTUATION = re.compile(r"[^a-z0-9]+")


def column_key(name: str) -> str:
    """Return the name of a column without case and punctuation."""
    template = _TEMPLATE.search(name)
    return _PUNCTUATION.sub("", (template.group(1) if template else name).lower())


def parse_mapping(words: Iterable[str]) -> dict[str, str]:
    """Return the column of each attribute in words such as ``userName=login``. Raises ``InvalidInput``."""
    mapping = {}
    for word in words:
        attribute, equals, column = word.partition("=")
        name = next((each for each in CANDIDATES if column_key(each) == column_key(attribute)), None)
        if not equals or name is None or not column_key(column):
            raise InvalidInput(
                f"Unknown column assignment {quoted(word)}. Write ATTRIBUTE=COLUMN, such as userName=login. "
                f"The attributes are {listed(CANDIDATES)}."
            )
        mapping[name] = column
    return mapping


class Columns:
    """The columns of a file: which one each attribute is read from."""

    def __init__(self, mapping: Mapping[str, str]) -> None:
        """Create the columns with those that the user chose, by attribute."""
        self._mapping = mapping
        self._candidates = {
            name: (column_key(mapping[name]),) if name in mapping else keys for name, keys in CANDIDATES.items()
        }
        #: The name of the column that each attribute was read from, for the report.
        self.found: dict[str, str] = {}
        self.has_object_types = False

    def choose(self, names: Sequence[str]) -> dict[str, int]:
        """Return the position in ``names`` of the column of each attribute, and under "" that of the object type.

        Raises ``InvalidInput`` if no column identifies people, or if a chosen column does not exist.
        """
        positions: dict[str, int] = {}
        for position, name in enumerate(names):
            positions.setdefault(column_key(name), position)
        chosen = {
            attribute: positions[key]
            for attribute, keys in self._candidates.items()
            if (key := next((each for each in keys if each in positions), None)) is not None
        }
        self._refuse(names, chosen)
        for attribute, position in chosen.items():
            self.found.setdefault(attribute, names[position].strip()[:_LONGEST_NAME])
        object_type = next((positions[key] for key in OBJECT_TYPES if key in positions), None)
        if object_type is not None:
            self.has_object_types = True
            chosen[""] = object_type
        return chosen

    def _refuse(self, names: Sequence[str], chosen: Mapping[str, int]) -> None:
        missing = [self._mapping[name] for name in self._mapping if name not in chosen]
        if missing:
            raise InvalidInput(f"The file has no column {listed(map(quoted, missing))}. {_named(names)}")
        if not any(name in chosen for name in IDENTIFYING):
            raise InvalidInput(
                f"The file is not recognized: no column identifies users. {_named(names)} Assign one of them, for "
                "example with --column userName=login (in the console: under 'Other names of columns'), or export "
                "objectId, userPrincipalName or mail."
            )

    @property
    def source(self) -> str:
        """The kind of export, guessed from the columns."""
        keys = {column_key(name) for name in self.found.values()}
        if self.has_object_types and "userprincipalname" in keys:
            return "Entra group members"
        if keys & {"userprincipalname", "accountenabled"}:
            return "Entra users"
        return "Okta users" if keys & {"login", "profilelogin", "oktastatus", "oktausername"} else "users"


def _named(names: Sequence[str]) -> str:
    """Return a sentence with the columns of the file."""
    shown = [quoted(name.strip()) for name in names if name.strip()]
    return f"Its columns are {listed(shown)}." if shown else "Its first line names no column."
