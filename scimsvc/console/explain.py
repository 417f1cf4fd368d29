"""The blueprint that explains a request: what it would do and why, writing nothing."""

from flask import request

from scimsvc.console.forms import again, text
from scimsvc.console.pages import Answer, enterprise_blueprint, enterprise_id, page
from scimsvc.protocol.json_text import write_json
from scimsvc.scim.explain import explain_in_words
from scimsvc.web.state import cursor_keys, limits
from scimsvc.web.urls import tenant_url

explain = enterprise_blueprint("explain")
explain.add_app_template_filter(lambda value: value if isinstance(value, str) else write_json(value), "as_json")

METHODS = ("POST", "PATCH", "PUT", "DELETE", "GET")


@explain.get("/explain")
def show() -> Answer:
    """Ask for a request."""
    return page("explain.html", methods=METHODS, told=None, sent={})


@explain.post("/explain")
@again(show)
def tell() -> Answer:
    """Tell what it would do."""
    given = {"method": text("method"), "path": text("path") or "/Users", "body": request.form.get("body", "")}
    told = explain_in_words(enterprise_id(), given, base=tenant_url(), keys=cursor_keys(), limits=limits())
    return page("explain.html", methods=METHODS, told=told, sent=given)
