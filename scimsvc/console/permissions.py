"""The requests that an account may send by its role.

Auditors see every page of their reach that shows something. They are refused forms of changes and the pages that only
contain such a form. A new route that receives a form is refused to them, unless it is listed here.
"""

from flask import current_app, request
from werkzeug.exceptions import HTTPException

from scimsvc.console.state import console_state
from scimsvc.enterprises.admins import Admin
from scimsvc.errors import ReadOnlyAccount

#: The blueprints of the account that is signed in. Everyone may change that.
OWN_ACCOUNT = frozenset(
    {
        "console_own_account",
        "console_own_alerts",
        "console_own_sessions",
        "console_second_factor",
        "console_own_identity",
        "console_appearance",
    }
)
#: The forms that change nothing.
READING_FORMS = frozenset({"console_explain.tell", "console_explain.test", "console_reconciliation.compare"})
#: The pages that show more than their form.
PAGES_WITH_FORM = frozenset({
    *("console_explain.show", "console_connect.show", "console_roles.edit", "console_service_settings.show"),
    "console_selftest.show",
    "console_reconciliation.ask",
})  # fmt: skip
_READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def refuse_auditor(admin: Admin) -> None:
    """Raise ``ReadOnlyAccount`` if the account is an auditor's, and the request is for a change or for its form."""
    if admin.may_change or may_audit(request.endpoint, request.method):
        return
    others = "an operator of this service"
    if console_state().enterprise is not None:
        others = f"an administrator of the enterprise or {others}"
    raise ReadOnlyAccount(f"Your account is an auditor's. It can see everything but change nothing. Ask {others}.")


def may_audit(endpoint: str | None, method: str) -> bool:
    """Return whether an auditor may send a request with this method to the endpoint."""
    if endpoint is None or endpoint.partition(".")[0] in OWN_ACCOUNT:
        return True
    if method in _READING_METHODS:
        return endpoint in PAGES_WITH_FORM or not _is_form(endpoint)
    return endpoint in READING_FORMS


def may_send(url: str, method: str = "POST") -> bool:
    """Return whether the account that is signed in may send a request to the ``url`` of a page."""
    admin = console_state().admin
    if admin is None or admin.may_change:
        return True
    path = url.partition("#")[0].partition("?")[0].removeprefix(request.script_root)
    try:
        endpoint, _ = current_app.url_map.bind("").match(path, method)
    except HTTPException:
        return False
    return may_audit(str(endpoint), method)


def _is_form(endpoint: str) -> bool:
    """Return whether the page of the endpoint exists for a form, because its path also receives one."""
    rules = {rule.rule for rule in current_app.url_map.iter_rules(endpoint)}
    return any(rule.rule in rules and "POST" in (rule.methods or ()) for rule in current_app.url_map.iter_rules())
