"""The blueprint of the health of the installation, for accounts that see all enterprises."""

from itertools import groupby

from flask import url_for

from scimsvc.console.navigation import name_of
from scimsvc.console.pages import Answer, admin, console_blueprint, page
from scimsvc.enterprises.admins import refuse_unless_all_enterprises
from scimsvc.operations.doctor.examining import examine, examine_settings
from scimsvc.operations.doctor.findings import Finding

health = console_blueprint("health")


@health.get("/health")
def show() -> Answer:
    """Show the findings of the doctor, by severity."""
    refuse_unless_all_enterprises(admin())
    findings = examine(examine_settings(), thorough=False)
    groups = [(severity, list(group)) for severity, group in groupby(findings, lambda each: each.severity)]
    return page("health.html", groups=groups, link_to=_link_to, name_of=name_of)


def _link_to(finding: Finding) -> str | None:
    """Return the URL of the page that helps, or None."""
    if finding.page is None:
        return None
    if finding.enterprise is None:
        return url_for(finding.page)
    return url_for(finding.page, enterprise_id=finding.enterprise.id)
