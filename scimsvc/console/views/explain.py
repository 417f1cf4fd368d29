"""The blueprint that explains the effect of a SCIM request without writing anything."""

import re
from collections.abc import Mapping
from typing import Any

from flask import request

from scimsvc.auth.provider_integrations import find_connected_provider
from scimsvc.console.forms import redisplay_on_error, text
from scimsvc.console.pages import Answer, enterprise_blueprint, enterprise_id, page
from scimsvc.protocol.json_text import write_json
from scimsvc.reports.causes import explain_cause
from scimsvc.scim.explain import Explanation, explain_request
from scimsvc.web.urls import tenant_url

explain = enterprise_blueprint("explain")
explain.add_app_template_filter(lambda value: value if isinstance(value, str) else write_json(value), "as_json")

METHODS = ("POST", "PATCH", "PUT", "DELETE", "GET")


@explain.get("/explain")
def show() -> Answer:
    """Show the form for a request."""
    return page("explain.html", methods=METHODS, explanation=None, typed={})


@explain.post("/explain")
@redisplay_on_error(show)
def tell() -> Answer:
    """Show the explanation of the request."""
    typed = {"method": text("method"), "path": text("path") or "/Users", "body": request.form.get("body", "")}
    return page("explain.html", methods=METHODS, explanation=explain_in_words(read_pasted(typed)), typed=typed)


def explain_in_words(members: Mapping[str, Any]) -> dict[str, Any]:
    """Explain the request in ``members``. ``why`` has the cause of a refusal, with remedies."""
    explanation = explain_request(enterprise_id(), members, base=tenant_url())
    return explanation.members | {"why": _why(explanation)}


def _why(explanation: Explanation) -> dict[str, Any] | None:
    if explanation.refusal is None:
        return None
    user = explanation.members["user"]
    return explain_cause(
        explanation.refusal.reason,
        explanation.refusal.status,
        operation=explanation.attempt.operation,
        value=explanation.attempt.role_value,
        email=user["email"] if user else None,
        holder_id=explanation.attempt.holder_id,
        provider=find_connected_provider(enterprise_id()),
    )


def read_pasted(typed: Mapping[str, str]) -> dict[str, Any]:
    """Return the method, path and body of a request.

    The body may be a full request that begins with a line such as ``PATCH /Users/… HTTP/1.1``. Headers are optional.
    """
    pasted = typed["body"].strip()
    match = _FIRST_LINE.match(pasted)
    if match is None:
        return {**typed, "body": pasted or None}
    rest = pasted[match.end() :]
    _, _, body = rest.replace("\r\n", "\n").partition("\n\n")
    if not body and "{" in rest:
        body = rest[rest.index("{") :]
    return {"method": match["method"], "path": match["path"], "body": body.strip() or None}


_FIRST_LINE = re.compile(r"(?P<method>GET|POST|PUT|PATCH|DELETE)[ \t]+(?P<path>\S+)[^\n]*\n?")
