"""The blueprint of attributes that are not part of SCIM."""

from scimsvc.console.pages import Answer, enterprise_blueprint, enterprise_id, page
from scimsvc.reports.ignored_attributes import DAYS, list_ignored

attributes = enterprise_blueprint("attributes")


@attributes.get("/attributes")
def list_() -> Answer:
    """List the attributes that the provider sends in vain."""
    return page("attributes.html", ignored=list_ignored(enterprise_id()), days=DAYS)
