"""The blueprint of the provisioning log, the audit log, the change feed and explanations."""

from flask import Response

from scimsvc.activity.state import feed_reader
from scimsvc.api.messages import api_blueprint, enterprise_id, json_answer, parameters, read_object, takes_parameters
from scimsvc.reports import lists
from scimsvc.scim import explain as services
from scimsvc.web.state import cursor_keys
from scimsvc.web.urls import tenant_url

records = api_blueprint("records")


@records.get("/provisioning-log")
@takes_parameters
def log() -> Response:
    """List the entries of the provisioning log, newest first."""
    return json_answer(lists.log(enterprise_id(), parameters(), cursor_keys()))


@records.get("/audit-log")
@takes_parameters
def audit_log() -> Response:
    """List the entries of the audit log, newest first."""
    return json_answer(lists.audit_log_of(enterprise_id(), parameters(), cursor_keys()))


@records.get("/changes")
@takes_parameters
def changes() -> Response:
    """List the changes of users after a cursor. Wait for the next change if the request asks for it."""
    return json_answer(lists.changes(enterprise_id(), parameters(), feed_reader()))


@records.post("/explain")
def explain() -> Response:
    """Return what a SCIM request would do."""
    return json_answer(services.explain(enterprise_id(), read_object(), base=tenant_url()))
