"""Notes on a request: the tolerances that were used, and the attributes that were ignored.

Every tolerance that a request needs is noted here and shown in the logs.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from scimsvc.protocol.limits import DEFAULTS, Limits
from scimsvc.protocol.work_budget import WorkBudget


class Tolerance(StrEnum):
    """A departure from the RFCs that is accepted. The comments name the clients that need it.

    tests/payloads/entra has the requests of Entra.
    """

    #: ``"op": "Replace"``: Entra's default dialect, all operations.
    OP_CASE = "op-case"
    #: ``"active": "False"``: Entra's default dialect and its POST; ``"primary": "True"``.
    TEXT_BOOLEAN = "text-boolean"
    #: ``"42"`` for the number of a custom attribute: providers whose directory has only text attributes.
    TEXT_NUMBER = "text-number"
    #: ``{"name.familyName": …}``: the keys of Entra's pathless replace, with the flag ``aadOptscim062020``.
    PATH_AS_KEY = "path-as-key"
    #: ``email``, ``phoneNumber``: names that administrators type into Entra's attribute mapping.
    SINGULAR_NAME = "singular-name"
    #: A value path that matches no element creates one: Entra's add and replace of a first phone number.
    ELEMENT_MADE = "element-made"
    #: ``roles[primary eq "True"]`` for a role that was sent without ``primary``: Entra's role expressions, mixed.
    ONE_ROLE = "one-role"
    #: ``[{"value": "x"}]`` for ``"x"``: Entra's old ``customappsso`` job.
    WRAPPED_SCALAR = "wrapped-scalar"
    #: One element instead of a list: hand-written clients.
    UNLISTED_ELEMENT = "unlisted-element"
    #: ``"manager": "26118915"`` for ``{"value": …}``: Entra's manager mapping; ``"roles": ["User"]``.
    BARE_ELEMENT = "bare-element"
    #: A ``remove`` with the values to remove: Entra's ``Remove`` of multi-valued attributes.
    REMOVE_WITH_VALUE = "remove-with-value"
    #: A ``remove`` of an absent value: Entra repeats requests after a lost answer.
    REMOVE_OF_ABSENT = "remove-of-absent"
    #: ``{"urn:…:core:2.0:User": {…}}``: core attributes in an object under the core URN.
    CORE_URN_OBJECT = "core-urn-object"
    #: The bare URN of an extension as the path.
    EXTENSION_URN_PATH = "extension-urn-path"
    #: ``urn:…:User.department``: Entra's old ``customappsso`` job.
    DOT_AFTER_URN = "dot-after-urn"
    #: A role's value as the JSON text of an app role assignment: Entra's AppRoleAssignmentsComplex.
    PACKED_ROLE = "packed-role"
    #: An unknown URN in ``schemas``: Entra's misspelled ``…enterprise:2.0User`` and custom extensions.
    UNKNOWN_SCHEMA = "unknown-schema"
    #: A single e-mail address without ``type``, which counts as type work.
    UNTYPED_EMAIL = "untyped-email"
    #: The only or the primary address has another type, and counts as type work: authentik's default mapping.
    OTHER_EMAIL = "other-email"
    #: ``emails[primary eq true]`` means the work address, although no address is marked as primary: Rippling, WorkOS.
    PRIMARY_ADDRESS = "primary-address"
    #: ``urn:scim:schemas:core:1.0`` and similar URNs of SCIM 1.1 and of drafts: older connectors of OneLogin.
    LEGACY_URN = "legacy-urn"
    #: A User or a PATCH without ``schemas``: scimgateway, Databricks, idp-scim-sync.
    NO_SCHEMAS = "no-schemas"
    #: A PATCH with an empty list of operations, which changes nothing: clients that send it if nothing differs.
    NO_OPERATIONS = "no-operations"
    #: A body without a Content-Type: simple HTTP clients.
    NO_CONTENT_TYPE = "no-content-type"
    #: A body that begins with a byte order mark: clients on Windows.
    BYTE_ORDER_MARK = "byte-order-mark"
    #: ``"active": [false]``: simulators, and templates that make lists of all values.
    LISTED_BOOLEAN = "listed-boolean"
    #: ``department``: an attribute of the enterprise extension at the top level: templates of OneLogin.
    BARE_EXTENSION_ATTRIBUTE = "bare-extension-attribute"
    #: ``manager.managerId``, the name of SCIM 1.1 for ``manager.value``: templates of OneLogin.
    MANAGER_ID = "manager-id"
    #: A blank in an e-mail address of a filter, which means ``+``: clients that do not encode the plus sign in URLs.
    BLANK_IN_ADDRESS = "blank-in-address"
    #: The URN of a message in another case: hand-written clients.
    MESSAGE_URN_CASE = "message-urn-case"
    #: ``"failOnErrors": 0`` in a Bulk request: Java clients with a primitive number.
    NO_ERROR_LIMIT = "no-error-limit"
    #: A role that is sent twice, in two spellings: Keycloak, which sends all realm roles.
    REPEATED_ROLE = "repeated-role"
    #: An update without a value for ``active``: PUTs by clients that omit false, Entra's Switch without a default.
    STATE_KEPT = "state-kept"
    #: A disable with another value that cannot be accepted: Entra, which repeats all differences in each cycle.
    DISABLING_WINS = "disabling-wins"
    #: Several roles without a primary one, where the enterprise's setting allows it: Keycloak, which sends all roles.
    HIGHEST_ROLE = "highest-role"


@dataclass(slots=True)
class RequestNotes:
    """The notes on one request, in order and without duplicates, and the limits that apply to it."""

    limits: Limits = DEFAULTS
    tolerances: list[Tolerance] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    #: Why values that came with a disable were not accepted, by the names of the attribute and its sub-attribute.
    kept: dict[tuple[str, ...], str] = field(default_factory=dict)
    #: How many users were disabled without such values. A Bulk request may disable several.
    disables: int = 0
    #: The budget of the Bulk request to which the operation belongs. None for a single request.
    budget: WorkBudget | None = field(default=None, compare=False)

    def tolerate(self, tolerance: Tolerance) -> None:
        """Note that ``tolerance`` was needed."""
        if tolerance not in self.tolerances:
            self.tolerances.append(tolerance)

    def tolerate_all(self, tolerances: Iterable[Tolerance]) -> None:
        """Note that each of ``tolerances`` was needed."""
        for tolerance in tolerances:
            self.tolerate(tolerance)

    def keep(self, path: tuple[str, ...], detail: str) -> None:
        """Note that the attribute at ``path`` keeps its value, because of the error ``detail``."""
        self.tolerate(Tolerance.DISABLING_WINS)
        self.kept.setdefault(path, detail)

    def add(self, others: "RequestNotes") -> None:
        """Add the notes of ``others``, a part of the same request."""
        self.tolerate_all(others.tolerances)
        self.kept |= others.kept
        self.disables += others.disables
        for name in others.ignored:
            self.ignore(name)

    def ignore(self, name: str) -> None:
        """Note that the attribute ``name``, which is not in any schema, was ignored."""
        name = name[:_LONGEST_IGNORED]
        if (
            len(self.ignored) < _MOST_IGNORED
            and name not in self.ignored
            and sum(map(len, self.ignored)) < _LONGEST_NOTES
        ):
            self.ignored.append(name)


_MOST_IGNORED = 50
_LONGEST_IGNORED = 200
#: Characters of all ignored names together, of which an entry of the log contains no more.
_LONGEST_NOTES = 2000
