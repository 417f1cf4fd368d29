"""The blueprint of attributes that are not part of SCIM: the declared ones, and those that are sent in vain."""

from flask import request, url_for

from scimsvc.console.forms import flag, redisplay_on_error, text
from scimsvc.console.pages import Answer, confirmation, enterprise_blueprint, enterprise_id, go, page
from scimsvc.enterprises import attributes as services
from scimsvc.protocol.custom_attributes import TYPES, find_fault
from scimsvc.reports.ignored_attributes import DAYS, list_ignored

attributes = enterprise_blueprint("attributes")

#: The administrator must choose the type, because a wrong one refuses values. The first option is refused.
TYPE_OPTIONS = [("", "Select a type"), *((name, name) for name in TYPES)]


@attributes.get("/attributes")
def list_() -> Answer:
    """List the custom attributes, and the attributes that the provider sends in vain."""
    ignored = [each | {"declarable": find_fault(each["name"]) is None} for each in list_ignored(enterprise_id())]
    declared = services.list_attributes(enterprise_id())
    return page("attributes.html", attributes=declared, ignored=ignored, days=DAYS)


@attributes.get("/attributes/new")
def new() -> Answer:
    """Show the form for a custom attribute. The query parameter ``name`` may propose its name."""
    return page("attribute_new.html", name=request.args.get("name", ""), types=TYPE_OPTIONS)


@attributes.post("/attributes/new")
@redisplay_on_error(new)
def create() -> Answer:
    """Declare a custom attribute."""
    members = {"name": text("name"), "type": text("type")}
    flags = {name: flag(name) for name in ("multi_valued", "case_exact")}
    attribute = services.create_attribute(enterprise_id(), members | flags)
    return go(".list_", f"Attribute {attribute['name']} declared. Its values are stored from now on.")


@attributes.get("/attributes/<attribute_id>/remove")
def ask_to_remove(attribute_id: str) -> Answer:
    """Ask for confirmation to remove a custom attribute, and name the number of users with a value."""
    attribute = services.show_attribute(enterprise_id(), attribute_id)
    users = services.count_values(enterprise_id(), attribute_id)
    lost = f"{users:,} users lose their values" if users != 1 else "1 user loses the value"
    return confirmation(
        f"Remove attribute {attribute['name'].rpartition(':')[2]}?",
        f"{lost if users else 'No user has a value'} of {attribute['name']}. The attribute is ignored from then on.",
        action="Remove attribute",
        back=url_for(".list_"),
    )


@attributes.post("/attributes/<attribute_id>/remove")
@redisplay_on_error(ask_to_remove)
def remove(attribute_id: str) -> Answer:
    """Remove a custom attribute and its values."""
    attribute = services.remove_attribute(enterprise_id(), attribute_id)
    if attribute["removing"]:
        message = f"Attribute {attribute['name']} is no longer used. Many users have values: continue the removal."
        return go(".list_", message, tone="warn")
    return go(".list_", f"Attribute {attribute['name']} removed.")
