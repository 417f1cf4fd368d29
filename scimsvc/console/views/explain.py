"""The blueprint that tests a change of a user, or a SCIM request, without writing anything."""

import json
import re
from collections.abc import Mapping
from typing import Any

from flask import request

from scimsvc.auth.provider_integrations import find_connected_provider
from scimsvc.console.forms import redisplay_on_error, text
from scimsvc.console.pages import Answer, enterprise_blueprint, enterprise_id, page
from scimsvc.errors import InvalidInput
from scimsvc.mapping.roles import list_role_names
from scimsvc.protocol.json_text import write_json
from scimsvc.reports.causes import explain_cause
from scimsvc.reports.trials import VALUES, Trial, find_person, outcome_in_words, suggest_trial, trial_request
from scimsvc.scim.explain import Explanation, explain_request
from scimsvc.web.state import cursor_keys
from scimsvc.web.urls import tenant_url


def indented(value: Any) -> str:
    """Return a JSON value, or its text, on indented lines. Other text is returned unchanged."""
    try:
        value = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return str(value)
    return json.dumps(value, indent=2, ensure_ascii=False)


explain = enterprise_blueprint("explain")
explain.add_app_template_filter(lambda value: value if isinstance(value, str) else write_json(value), "as_json")
explain.add_app_template_filter(indented)

#: The changes of a user, with their labels.
CHANGES = {
    Trial.CREATE: "Create a user",
    Trial.ROLE: "Change the role",
    Trial.UPDATE: "Change name, address or title",
    Trial.DISABLE: "Disable",
    Trial.ENABLE: "Enable",
    Trial.DELETE: "Delete",
}
METHODS = ("POST", "PATCH", "PUT", "DELETE", "GET")


@explain.get("/explain")
def show() -> Answer:
    """Show the form for a change of a user, or with ``raw`` the one for a request.

    ``user`` and ``entry`` name a user and an entry of the log, from which the form begins.
    """
    if "raw" in request.args or request.endpoint == "console_explain.tell":
        return page("explain.html", methods=METHODS, explanation=None, typed={})
    begun = suggest_trial(enterprise_id(), request.args["entry"]) if "entry" in request.args else {}
    typed = {"change": Trial.ROLE if "user" in request.args else Trial.CREATE, "person": request.args.get("user", "")}
    return _trial_page(typed | begun)


@explain.post("/explain")
@redisplay_on_error(show)
def tell() -> Answer:
    """Show the explanation of the request."""
    typed = {"method": text("method"), "path": text("path") or "/Users", "body": request.form.get("body", "")}
    return page("explain.html", methods=METHODS, explanation=explain_in_words(read_pasted(typed)), typed=typed)


@explain.post("/explain/test")
@redisplay_on_error(show)
def test() -> Answer:
    """Show the effect of a change of a user, with the request that the provider would send and its answer."""
    typed = {name: text(name) for name in ("change", "person", "role", *VALUES)}
    if typed["change"] not in set(Trial):
        raise InvalidInput("Choose a change.", {"change": ["Choose a change."]})
    trial = Trial(typed["change"])
    person = None if trial is Trial.CREATE else find_person(enterprise_id(), typed["person"], cursor_keys())
    values = {name: typed[name] for name in ("role", *VALUES)}
    trial_sent = trial_request(trial, person["id"] if person else "", values, find_connected_provider(enterprise_id()))
    explanation = explain_request(enterprise_id(), trial_sent.members, base=tenant_url())
    members = explanation.members | {"why": _why(explanation)}
    return _trial_page(typed, sent=trial_sent, explanation=members, answer=explanation.answer)


def _trial_page(typed: Mapping[str, str], **result: Any) -> str:
    explanation = result.get("explanation")
    return page(
        "test_user.html",
        typed=typed,
        changes=CHANGES,
        roles=list_role_names(enterprise_id()),
        sentences=outcome_in_words(explanation) if explanation else [],
        **{"sent": None, "explanation": None, "answer": "", **result},
    )


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
