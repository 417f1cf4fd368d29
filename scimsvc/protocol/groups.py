"""The type Group, and the rules for a Group as a whole (contract section 5a).

The members of a group are rows of their own, so that a group may have any number of them. ``members`` describes what a
request changes about them.
"""

from scimsvc.protocol import urns
from scimsvc.protocol.attributes import Attribute, Resource, Schema
from scimsvc.protocol.errors import InvalidValue
from scimsvc.protocol.limits import MAX_KEY_LENGTH
from scimsvc.protocol.reading.tolerances import RequestNotes
from scimsvc.protocol.reasons import Reason
from scimsvc.protocol.resource_types import ResourceType

GROUP_NAME = Attribute(
    "displayName", required=True, max_length=MAX_KEY_LENGTH,
    description="The group's name. It is unique unless the enterprise allows duplicates.",
)  # fmt: skip
MEMBERS = Attribute(
    "members", "complex", multi_valued=True, is_apart=True,
    description="The users who are members, in the order in which they joined.",
    sub_attributes=(
        Attribute("value", mutability="immutable", description="The identifier of the user."),
        Attribute("$ref", "reference", case_exact=True, mutability="immutable", reference_types=("User",),
                  description="The user's URI."),
        Attribute("type", mutability="immutable", canonical_values=("User",),
                  description="The type of the member. Groups cannot be members."),
        Attribute("display", mutability="readOnly", description="The user's displayName, or else the userName."),
    ),
)  # fmt: skip
GROUP = Schema(urns.CORE_GROUP, "Group", "A group of users.", (GROUP_NAME, MEMBERS))


def _complete_group(group: Resource, _notes: RequestNotes) -> None:
    if GROUP_NAME.name not in group:
        raise InvalidValue(
            "The attribute displayName is missing. Send the name of the group.", reason=Reason.NO_GROUP_NAME
        )


GROUPS = ResourceType(
    "Group",
    "/Groups",
    GROUP,
    _complete_group,
    legacy_urns={
        **{f"{legacy}:group": urns.CORE_GROUP for legacy in urns.LEGACY_CORE},
        **dict.fromkeys(urns.LEGACY_CORE, urns.CORE_GROUP),
    },
)
