"""What a request needed to be understood: tolerances used and attributes ignored.

A request is read leniently, never silently: each leniency leaves its name here, for the logs.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from scimsvc.protocol.limits import DEFAULTS, Limits


class Tolerance(StrEnum):
    """A departure from the RFCs that is understood all the same; each names the client that needs it.

    The abbreviations are those of the sources of Entra's habits, whose requests stand in tests/payloads/entra.
    """

    #: ``"op": "Replace"``: Entra's default dialect, all operations.
    OP_CASE = "op-case"
    #: ``"active": "False"``: Entra's default dialect and its POST; ``"primary": "True"``.
    TEXT_BOOLEAN = "text-boolean"
    #: ``{"name.familyName": …}``: the keys of Entra's pathless replace, with the flag ``aadOptscim062020``.
    PATH_AS_KEY = "path-as-key"
    #: ``email``, ``phoneNumber``: what administrators type into Entra's attribute mapping.
    SINGULAR_NAME = "singular-name"
    #: A value path that matches nothing makes its element: Entra's add and replace of a first phone number.
    ELEMENT_MADE = "element-made"
    #: ``roles[primary eq "True"]`` for a role that was sent without ``primary``: Entra's role expressions, mixed.
    ONE_ROLE = "one-role"
    #: ``[{"value": "x"}]`` for ``"x"``: Entra's old ``customappsso`` job.
    WRAPPED_SCALAR = "wrapped-scalar"
    #: One element where a list belongs: hand-written clients.
    UNLISTED_ELEMENT = "unlisted-element"
    #: ``"manager": "26118915"`` for ``{"value": …}``: Entra's manager mapping; ``"roles": ["User"]``.
    BARE_ELEMENT = "bare-element"
    #: A ``remove`` with the values to remove: Entra's ``Remove`` of multi-valued attributes.
    REMOVE_WITH_VALUE = "remove-with-value"
    #: A ``remove`` of what is not there: Entra repeats itself after a lost answer.
    REMOVE_OF_ABSENT = "remove-of-absent"
    #: ``{"urn:…:core:2.0:User": {…}}``: core attributes in an object under the core URN.
    CORE_URN_OBJECT = "core-urn-object"
    #: An extension as a whole, by its bare URN, as a path.
    EXTENSION_URN_PATH = "extension-urn-path"
    #: ``urn:…:User.department``: Entra's old ``customappsso`` job.
    DOT_AFTER_URN = "dot-after-urn"
    #: A role's value as the JSON text of an app role assignment: Entra's AppRoleAssignmentsComplex.
    PACKED_ROLE = "packed-role"
    #: A URN in ``schemas`` that is no schema here: Entra's misspelt ``…enterprise:2.0User`` and custom extensions.
    UNKNOWN_SCHEMA = "unknown-schema"
    #: An only e-mail address without ``type``, taken as the one of type work.
    UNTYPED_EMAIL = "untyped-email"


@dataclass(slots=True)
class RequestNotes:
    """The notes on one request, in the order in which they were made, each once; and the limits it is read within."""

    limits: Limits = DEFAULTS
    tolerances: list[Tolerance] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)

    def tolerate(self, tolerance: Tolerance) -> None:
        """Note that ``tolerance`` was needed."""
        if tolerance not in self.tolerances:
            self.tolerances.append(tolerance)

    def tolerate_all(self, tolerances: Iterable[Tolerance]) -> None:
        """Note that each of ``tolerances`` was needed."""
        for tolerance in tolerances:
            self.tolerate(tolerance)

    def add(self, others: "RequestNotes") -> None:
        """Note what ``others`` hold as well."""
        self.tolerate_all(others.tolerances)
        for name in others.ignored:
            self.ignore(name)

    def ignore(self, name: str) -> None:
        """Note that the attribute ``name``, which stands in no schema, was left out of account."""
        if name not in self.ignored and len(self.ignored) < _MOST_IGNORED:
            self.ignored.append(name[:_LONGEST_IGNORED])


_MOST_IGNORED = 50
_LONGEST_IGNORED = 200
