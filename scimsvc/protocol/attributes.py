"""The attribute table describes every attribute of a User once (RFC 7643 §4.1, §4.3, §7).

Reading, comparison, PATCH, filters and the Schemas endpoint all use this table. ``resource_types`` joins the schemas
of a type of resource.
"""

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from scimsvc.protocol import urns
from scimsvc.protocol.limits import MAX_KEY_LENGTH, Limits

#: Folds a text for comparisons without regard to case. No other function does this.
fold = str.casefold
#: A resource: SCIM names to JSON values.
Resource = dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Attribute:
    """An attribute or sub-attribute with its characteristics (RFC 7643 §2.2, §7). Instances compare by identity."""

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
    #: The maximum length of a value, in characters.
    max_length: int | None = None
    #: Multi-valued in JSON, although a user has at most one element (contract section 7: roles).
    single_element: bool = False
    #: Accepted and dropped: not stored, returned, published or searchable (contract section 5: password).
    dropped: bool = False
    #: The attribute contains an extension schema, and its name is the URN (RFC 7643 §3.3).
    is_extension: bool = False
    #: The elements are rows of their own and not a part of the document (contract section 5a: members of a group).
    is_apart: bool = False
    #: Unknown to requests, although stored resources may have a value: a custom attribute that is being removed.
    hidden: bool = False

    def __repr__(self) -> str:
        """Return the name, which identifies the entry."""
        return f"<Attribute {self.name}>"

    def find(self, name: str) -> "Attribute | None":
        """Return the sub-attribute called ``name``, without regard to case, or None."""
        return _by_folded_name(self).get(fold(name))

    def most_elements(self, limits: Limits) -> int:
        """Return the maximum number of elements in a request."""
        return limits.members if self.is_apart else limits.elements

    @property
    def value(self) -> "Attribute | None":
        """The sub-attribute that represents an element if no sub-attribute is named (RFC 7643 §2.4)."""
        return self.find("value")


@lru_cache(maxsize=1024)
def element_of(attribute: Attribute) -> Attribute:
    """Return ``attribute``, which is multi-valued, with the sub-attributes of its elements.

    Elements that are strings, numbers or times are treated in conditions as objects with a ``value``.
    """
    if attribute.sub_attributes:
        return attribute
    value = Attribute("value", attribute.type, case_exact=attribute.case_exact)
    return Attribute(attribute.name, "complex", multi_valued=True, sub_attributes=(value,))


@lru_cache(maxsize=1024)
def _by_folded_name(attribute: Attribute) -> dict[str, Attribute]:
    return {fold(each.name): each for each in attribute.sub_attributes if not each.hidden}


@dataclass(frozen=True, slots=True)
class Schema:
    """The attributes under one URN (RFC 7643 §7)."""

    urn: str
    name: str
    description: str
    attributes: tuple[Attribute, ...]
    #: The attribute that contains the schema in a resource which it extends.
    extension: Attribute = field(init=False, compare=False)

    def __post_init__(self) -> None:
        """Set the attribute of the extension, which is compared by identity, once."""
        extension = Attribute(self.urn, "complex", sub_attributes=self.attributes, is_extension=True)
        object.__setattr__(self, "extension", extension)


@dataclass(frozen=True, slots=True)
class AttributePath:
    """The path of an attribute as steps, such as (name, familyName) or (the extension, manager, value)."""

    steps: tuple[Attribute, ...]

    @property
    def attribute(self) -> Attribute:
        """The attribute that the path leads to."""
        return self.steps[-1]

    def __str__(self) -> str:
        """Return the path in the notation of RFC 7644 §3.10."""
        first, *rest = self.steps
        if rest and first.is_extension:
            return f"{first.name}:{'.'.join(step.name for step in rest)}"
        return ".".join(step.name for step in self.steps)


def _element_attributes(what: str, *types: str, value: Attribute | None = None) -> tuple[Attribute, ...]:
    """Return the default sub-attributes of a multi-valued attribute (RFC 7643 §2.4)."""
    return (
        value or Attribute("value", description=f"The {what}."),
        Attribute("display", description=f"The display name of the {what}."),
        Attribute("type", canonical_values=types, description=f"The purpose of the {what}."),
        PRIMARY,
    )


PRIMARY = Attribute("primary", "boolean", description="Whether this is the preferred element.")

SCHEMAS = Attribute(
    "schemas", "reference", multi_valued=True, required=True, case_exact=True, returned="always",
    reference_types=("uri",), description="The URNs of the schemas whose attributes the resource has.",
)  # fmt: skip
ID = Attribute(
    "id", case_exact=True, mutability="readOnly", returned="always", uniqueness="server",
    description="The identifier that this service assigned to the resource.",
)  # fmt: skip
EXTERNAL_ID = Attribute(
    "externalId", case_exact=True, max_length=MAX_KEY_LENGTH,
    description="The identifier that the provisioning client assigned to the resource. It need not be unique.",
)  # fmt: skip
META = Attribute(
    "meta", "complex", mutability="readOnly", description="Metadata of the resource.",
    sub_attributes=(
        Attribute("resourceType", case_exact=True, mutability="readOnly", description="The resource's type."),
        Attribute("created", "dateTime", case_exact=True, mutability="readOnly", description="The creation time."),
        Attribute("lastModified", "dateTime", case_exact=True, mutability="readOnly", description="The change time."),
        Attribute("location", "reference", case_exact=True, mutability="readOnly",
                  reference_types=("uri",), description="The resource's URI."),
        Attribute("version", case_exact=True, mutability="readOnly", description="The resource's ETag."),
    ),
)  # fmt: skip

USER_NAME = Attribute(
    "userName", required=True, max_length=MAX_KEY_LENGTH,
    description="The user's name in this service. It is unique only if the enterprise requires it.",
)  # fmt: skip
ACTIVE = Attribute(
    "active", "boolean", description="Whether the user may use the application. A disabled user is kept."
)
PASSWORD = Attribute(
    "password", mutability="writeOnly", returned="never", dropped=True,
    description="Accepted and dropped, because users sign in elsewhere.",
)  # fmt: skip
EMAILS = Attribute(
    "emails", "complex", multi_valued=True, required=True,
    description="E-mail addresses. The address of type work identifies the user within the enterprise.",
    sub_attributes=_element_attributes(
        "address", "work",
        value=Attribute("value", required=True, max_length=MAX_KEY_LENGTH, description="The address."),
    ),
)  # fmt: skip
PHONE_NUMBERS = Attribute(
    "phoneNumbers", "complex", multi_valued=True, description="Telephone numbers, stored as they were sent.",
    sub_attributes=_element_attributes("number", "work", "home", "mobile", "fax", "pager", "other"),
)  # fmt: skip
ROLES = Attribute(
    "roles", "complex", multi_valued=True, single_element=True,
    description="The user's role in the enterprise: one element with the name or an alias of the role.",
    sub_attributes=_element_attributes("role"),
)  # fmt: skip

USER = Schema(
    urns.CORE_USER,
    "User",
    "A person who uses the application.",
    (
        USER_NAME,
        Attribute("name", "complex", description="The parts of the person's name.", sub_attributes=(
            Attribute("formatted", description="The full name, formatted for display."),
            Attribute("familyName", description="The family name."),
            Attribute("givenName", description="The given name."),
            Attribute("middleName", description="The middle names."),
            Attribute("honorificPrefix", description="The prefix of the name, such as a title."),
            Attribute("honorificSuffix", description="The suffix of the name."),
        )),
        Attribute("displayName", description="The name shown to other users."),
        Attribute("nickName", description="The casual name."),
        Attribute("profileUrl", "reference", reference_types=("external",),
                  description="The URL of the person's profile. It is not validated."),
        Attribute("title", description="The person's title in the organization."),
        Attribute("userType", description="The person's relationship to the organization."),
        Attribute("preferredLanguage", description="The person's preferred language."),
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
            Attribute("formatted", description="The full address, formatted for a mailing label."),
            Attribute("streetAddress", description="The street address, with house number."),
            Attribute("locality", description="The city or place."),
            Attribute("region", description="The state, province or region."),
            Attribute("postalCode", description="The postal code."),
            Attribute("country", description="The country."),
            Attribute("type", canonical_values=("work", "home", "other"), description="The purpose of the address."),
            PRIMARY,
        )),
        Attribute("groups", "complex", multi_valued=True, mutability="readOnly",
                  description="The groups of the user.", sub_attributes=(
                      Attribute("value", mutability="readOnly", description="The group's identifier."),
                      Attribute("$ref", "reference", mutability="readOnly", case_exact=True,
                                reference_types=("Group",), description="The group's URI."),
                      Attribute("display", mutability="readOnly", description="The group's name."),
                      Attribute("type", mutability="readOnly", canonical_values=("direct", "indirect"),
                                description="Whether the membership is direct."),
                  )),
        Attribute("entitlements", "complex", multi_valued=True, description="The person's entitlements.",
                  sub_attributes=_element_attributes("entitlement")),
        ROLES,
        Attribute("x509Certificates", "complex", multi_valued=True, description="Certificates, in base64.",
                  sub_attributes=_element_attributes(
                      "certificate",
                      value=Attribute("value", "binary", case_exact=True, description="DER in base64."))),
    ),
)  # fmt: skip

MANAGER = Attribute(
    "manager", "complex", description="The person's manager.",
    sub_attributes=(
        # RFC 7643 §8.7.1 says false; erratum 8472 corrects it.
        Attribute("value", case_exact=True, description="The manager's identifier. It is not looked up."),
        Attribute("$ref", "reference", case_exact=True, reference_types=("User",),
                  description="The manager's URI."),
        Attribute("displayName", description="The manager's name."),
    ),
)  # fmt: skip
ENTERPRISE_USER = Schema(
    urns.ENTERPRISE_USER,
    "EnterpriseUser",
    "Attributes of a person within an organization.",
    (
        Attribute("employeeNumber", description="The number that the organization assigned to the person."),
        Attribute("costCenter", description="The cost center."),
        Attribute("organization", description="The organization or company."),
        Attribute("division", description="The division."),
        Attribute("department", description="The department."),
        MANAGER,
    ),
)

#: The enterprise extension in a User.
EXTENSION = ENTERPRISE_USER.extension


def with_sub_attribute(attribute: Attribute, changed: Attribute) -> Attribute:
    """Return ``attribute`` with the sub-attribute of the same name replaced by ``changed``."""
    subs = tuple(changed if sub.name == changed.name else sub for sub in attribute.sub_attributes)
    return replace(attribute, sub_attributes=subs)
