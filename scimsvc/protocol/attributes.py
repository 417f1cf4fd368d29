"""The attribute table: every attribute of a User, described once (RFC 7643 §4.1, §4.3, §7).

Reading, comparison, PATCH, filters and the Schemas endpoint are all driven by this table.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

from scimsvc.protocol import urns
from scimsvc.protocol.limits import MAX_KEY_LENGTH

#: Returns a text as it is compared where case does not matter: the one function for all of it.
fold = str.casefold


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Attribute:
    """One attribute or sub-attribute with its characteristics (RFC 7643 §2.2, §7); equal to itself alone."""

    name: str
    type: str = "string"
    multi_valued: bool = False
    required: bool = False
    case_exact: bool = False
    mutability: str = "readWrite"
    returned: str = "default"
    uniqueness: str = "none"
    canonical_values: tuple[str, ...] = ()
    reference_types: tuple[str, ...] = ()
    sub_attributes: tuple["Attribute", ...] = ()
    description: str = ""
    #: Longest value taken, in characters.
    max_length: int | None = None
    #: Multi-valued on the wire, but a user has one element at most (contract section 7: roles).
    single_element: bool = False
    #: Taken and dropped: neither kept, returned, published nor searchable (contract section 5: password).
    dropped: bool = False

    def __repr__(self) -> str:
        """Show the name, which is enough to find the entry."""
        return f"<Attribute {self.name}>"

    def find(self, name: str) -> "Attribute | None":
        """Find the sub-attribute called ``name``, without regard to case."""
        return _by_folded_name(self).get(fold(name))

    @property
    def value(self) -> "Attribute | None":
        """The sub-attribute that stands for a whole element when none is named (RFC 7643 §2.4)."""
        return self.find("value")


@lru_cache(maxsize=1024)
def _by_folded_name(attribute: Attribute) -> dict[str, Attribute]:
    return {fold(each.name): each for each in attribute.sub_attributes}


@dataclass(frozen=True, slots=True)
class Schema:
    """A set of attributes under one URN (RFC 7643 §7)."""

    urn: str
    name: str
    description: str
    attributes: tuple[Attribute, ...]


@dataclass(frozen=True, slots=True)
class AttributePath:
    """An attribute as a path of steps: (name, familyName), or (the extension, manager, value)."""

    steps: tuple[Attribute, ...]

    @property
    def attribute(self) -> Attribute:
        """The attribute that the path leads to."""
        return self.steps[-1]

    def __str__(self) -> str:
        """Spell the path as RFC 7644 §3.10 does."""
        first, *rest = self.steps
        if rest and first.name.startswith("urn:"):
            return f"{first.name}:{'.'.join(step.name for step in rest)}"
        return ".".join(step.name for step in self.steps)


def _element_attributes(what: str, *types: str, value: Attribute | None = None) -> tuple[Attribute, ...]:
    """Return the usual sub-attributes of a multi-valued attribute (RFC 7643 §2.4)."""
    return (
        value or Attribute("value", description=f"The {what} itself."),
        Attribute("display", description=f"A name for the {what} that people read."),
        Attribute("type", canonical_values=types, description=f"What the {what} is for."),
        PRIMARY,
    )


PRIMARY = Attribute("primary", "boolean", description="Whether it is the preferred one.")

SCHEMAS = Attribute(
    "schemas", "reference", multi_valued=True, required=True, case_exact=True, returned="always",
    reference_types=("uri",), description="The URNs of the schemas whose attributes the resource has.",
)  # fmt: skip
ID = Attribute(
    "id", case_exact=True, mutability="readOnly", returned="always", uniqueness="server",
    description="The identifier that this service gave the resource.",
)  # fmt: skip
EXTERNAL_ID = Attribute(
    "externalId", case_exact=True, max_length=MAX_KEY_LENGTH,
    description="The identifier that the provisioning client gave the resource; unique to nobody.",
)  # fmt: skip
META = Attribute(
    "meta", "complex", mutability="readOnly", description="What this service knows of the resource.",
    sub_attributes=(
        Attribute("resourceType", case_exact=True, mutability="readOnly", description="The resource's type."),
        Attribute("created", "dateTime", case_exact=True, mutability="readOnly", description="When it was created."),
        Attribute("lastModified", "dateTime", case_exact=True, mutability="readOnly", description="When it changed."),
        Attribute("location", "reference", case_exact=True, mutability="readOnly",
                  reference_types=("uri",), description="The resource's URI."),
        Attribute("version", case_exact=True, mutability="readOnly", description="The resource's ETag."),
    ),
)  # fmt: skip

USER_NAME = Attribute(
    "userName", required=True, max_length=MAX_KEY_LENGTH,
    description="The user's name in this service; not unique unless the enterprise says so.",
)  # fmt: skip
ACTIVE = Attribute("active", "boolean", description="Whether the user may work; a disabled user stays.")
PASSWORD = Attribute(
    "password", mutability="writeOnly", returned="never", dropped=True,
    description="Taken and dropped: users sign in elsewhere.",
)  # fmt: skip
EMAILS = Attribute(
    "emails", "complex", multi_valued=True, required=True,
    description="E-mail addresses; the one of type work identifies the user within the enterprise.",
    sub_attributes=_element_attributes(
        "address", "work",
        value=Attribute("value", required=True, max_length=MAX_KEY_LENGTH, description="The address itself."),
    ),
)  # fmt: skip
PHONE_NUMBERS = Attribute(
    "phoneNumbers", "complex", multi_valued=True, description="Telephone numbers, kept as they were sent.",
    sub_attributes=_element_attributes("number", "work", "home", "mobile", "fax", "pager", "other"),
)  # fmt: skip
ROLES = Attribute(
    "roles", "complex", multi_valued=True, single_element=True,
    description="The enterprise role that the user holds: one element, named by the role's name or alias.",
    sub_attributes=_element_attributes("role"),
)  # fmt: skip

USER = Schema(
    urns.CORE_USER,
    "User",
    "A person who works with the application.",
    (
        USER_NAME,
        Attribute("name", "complex", description="The parts of the person's name.", sub_attributes=(
            Attribute("formatted", description="The whole name as it is shown."),
            Attribute("familyName", description="The family name."),
            Attribute("givenName", description="The given name."),
            Attribute("middleName", description="The middle names."),
            Attribute("honorificPrefix", description="What stands before the name, such as a title."),
            Attribute("honorificSuffix", description="What stands after the name."),
        )),
        Attribute("displayName", description="The name that is shown to others."),
        Attribute("nickName", description="The name that friends use."),
        Attribute("profileUrl", "reference", reference_types=("external",),
                  description="Where the person's profile is; its form is not checked."),
        Attribute("title", description="The person's title in the organization."),
        Attribute("userType", description="How the person relates to the organization."),
        Attribute("preferredLanguage", description="The language that the person prefers."),
        Attribute("locale", description="The person's locale, for dates, numbers and currency."),
        Attribute("timezone", description="The person's time zone."),
        ACTIVE,
        PASSWORD,
        EMAILS,
        PHONE_NUMBERS,
        Attribute("ims", "complex", multi_valued=True, description="Instant messaging addresses.",
                  sub_attributes=_element_attributes(
                      "messaging address", "aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo")),
        Attribute("photos", "complex", multi_valued=True, description="Pictures of the person, as URIs.",
                  sub_attributes=_element_attributes(
                      "picture", "photo", "thumbnail",
                      value=Attribute("value", "reference", case_exact=True, reference_types=("external",),
                                      description="The picture's URI."))),
        Attribute("addresses", "complex", multi_valued=True, description="Postal addresses.", sub_attributes=(
            Attribute("formatted", description="The whole address as it is written on an envelope."),
            Attribute("streetAddress", description="Street, house number and the like."),
            Attribute("locality", description="The city or place."),
            Attribute("region", description="The state, province or region."),
            Attribute("postalCode", description="The postal code."),
            Attribute("country", description="The country."),
            Attribute("type", canonical_values=("work", "home", "other"), description="What it is for."),
            PRIMARY,
        )),
        Attribute("groups", "complex", multi_valued=True, mutability="readOnly",
                  description="The groups that the user is in; this service keeps none.", sub_attributes=(
                      Attribute("value", mutability="readOnly", description="The group's identifier."),
                      Attribute("$ref", "reference", mutability="readOnly", case_exact=True,
                                reference_types=("Group",), description="The group's URI."),
                      Attribute("display", mutability="readOnly", description="The group's name."),
                      Attribute("type", mutability="readOnly", canonical_values=("direct", "indirect"),
                                description="Whether the membership is direct."),
                  )),
        Attribute("entitlements", "complex", multi_valued=True, description="What the person is entitled to.",
                  sub_attributes=_element_attributes("entitlement")),
        ROLES,
        Attribute("x509Certificates", "complex", multi_valued=True, description="Certificates, in base64.",
                  sub_attributes=_element_attributes(
                      "certificate",
                      value=Attribute("value", "binary", case_exact=True, description="DER in base64."))),
    ),
)  # fmt: skip

MANAGER = Attribute(
    "manager", "complex", description="The person's manager; neither looked up nor completed.",
    sub_attributes=(
        Attribute("value", description="The manager's identifier, as the client sent it."),
        Attribute("$ref", "reference", case_exact=True, reference_types=("User",),
                  description="The manager's URI."),
        Attribute("displayName", description="The manager's name."),
    ),
)  # fmt: skip
ENTERPRISE_USER = Schema(
    urns.ENTERPRISE_USER,
    "EnterpriseUser",
    "What an organization knows of the person.",
    (
        Attribute("employeeNumber", description="The number that the organization gave the person."),
        Attribute("costCenter", description="The cost center."),
        Attribute("organization", description="The organization or company."),
        Attribute("division", description="The division."),
        Attribute("department", description="The department."),
        MANAGER,
    ),
)

#: The extension as it stands in a resource: one complex attribute, named by its URN (RFC 7643 §3.3).
EXTENSION = Attribute(urns.ENTERPRISE_USER, "complex", sub_attributes=ENTERPRISE_USER.attributes)

#: Every attribute that a User has, in the order in which answers show them.
USER_ATTRIBUTES: tuple[Attribute, ...] = (SCHEMAS, ID, EXTERNAL_ID, *USER.attributes, EXTENSION, META)


def with_sub_attribute(attribute: Attribute, changed: Attribute) -> Attribute:
    """Return ``attribute`` with the sub-attribute of the same name replaced by ``changed``."""
    subs = tuple(changed if sub.name == changed.name else sub for sub in attribute.sub_attributes)
    return replace(attribute, sub_attributes=subs)
