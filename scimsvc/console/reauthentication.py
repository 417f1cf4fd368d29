"""Ask for the password again before forms that show a secret or delete something, unless it was entered recently.

The request is refused with a page that asks for the password. The page has the fields of the refused form, so that the
same request is sent again, with the password in a field of its own. A stolen session is then not enough for the form.
"""

from collections.abc import Iterator
from contextlib import suppress

from flask import request, session, url_for
from flask.globals import request_ctx
from werkzeug.exceptions import HTTPException

from scimsvc.auth.throttling import wrong_passwords
from scimsvc.console.browsers import known_browser
from scimsvc.console.forms import Form
from scimsvc.console.state import console_state
from scimsvc.enterprises.admin_records import refused_sign_in_recorder
from scimsvc.enterprises.sessions import resume_session
from scimsvc.enterprises.sign_in import CONFIRMING_PASSWORD, confirm
from scimsvc.errors import InvalidInput, NotAllowed, ServiceError, TooManyAttempts
from scimsvc.web.client_address import counted_address
from scimsvc.web.state import request_state

#: The endpoints of forms that need a recent password, and what they do. They show a secret, delete something, change
#: who has access, or end another session of the account: its owner, but not a thief of this session, can do that.
SENSITIVE = {
    "console_enterprises.create": "create an enterprise",
    "console_enterprise.delete": "delete the enterprise",
    "console_connect.issue": "create a token",
    "console_connect.issue_secret": "create a client secret",
    "console_tokens.issue": "create a token",
    "console_tokens.rotate": "replace the token",
    "console_tokens.revoke": "revoke the token",
    "console_integrations.create": "create an integration",
    "console_integrations.rotate": "rotate the client secret",
    "console_integrations.end_old_secrets": "revoke the old secret",
    "console_integrations.revoke": "delete the integration",
    "console_webhooks.create": "create a webhook",
    "console_webhooks.update": "change the webhook",
    "console_webhooks.rotate": "rotate the secret",
    "console_webhooks.delete": "delete the webhook",
    "console_users.delete": "delete the user",
    "console_roles.remove": "delete the role",
    "console_attributes.remove": "remove the attribute",
    "console_administrators.invite": "create an account",
    "console_administrators.change_role": "change the role of the account",
    "console_administrators.reset": "create a link",
    "console_administrators.reset_second_factor": "reset the second factor",
    "console_administrators.remove": "remove the account",
    "console_all_accounts.invite": "create an account",
    "console_all_accounts.change_role": "change the role of the account",
    "console_all_accounts.reset": "create a link",
    "console_all_accounts.reset_second_factor": "reset the second factor",
    "console_all_accounts.remove": "remove the account",
    "console_second_factor.enable": "set up a second factor",
    "console_second_factor.renew_codes": "create recovery codes",
    "console_second_factor.turn_off": "turn off the second factor",
    "console_own_sessions.end": "end the session",
    "console_own_sessions.end_others": "end the other sessions",
    "console_own_identity.begin_link": "link single sign-on",
    "console_own_identity.unlink": "unlink single sign-on",
}
#: The endpoints of other forms of people who are signed in. Each form must be in one of the two tables.
ORDINARY = frozenset({
    "console_appearance.choose",
    "console_own_account.change_password",  # asks for the current password itself
    "console_own_account.sign_out",
    "console_own_account.sign_out_everywhere",
    "console_own_alerts.choose",
    "console_sessions.end_of_any",
    "console_enterprise.suspend",
    "console_enterprise.reactivate",
    "console_connect.enable",
    "console_connect.tick",
    "console_explain.tell",
    "console_explain.test",
    "console_overview.dismiss",
    "console_attributes.create",
    "console_integrations.limit",
    "console_integrations.rename",
    "console_reconciliation.compare",
    "console_roles.add",
    "console_roles.add_alias",
    "console_roles.move",
    "console_roles.update",
    "console_settings.change_alerts",
    "console_settings.change_rules",
    "console_settings.change_limit",
    "console_settings.drop_limit",
    "console_settings.release",
    "console_settings.pause",
    "console_settings.rename",
    "console_service_settings.change",
    "console_selftest.start",
    "console_settings.resume",
    "console_settings.enable",
    "console_settings.disable",
    "console_user_files.apply",
    "console_user_files.check",
    "console_webhooks.enable",
    "console_webhooks.disable",
    "console_webhooks.retry",
    "console_webhooks.replay",
    "console_webhooks.test",
    "console_users.create",
    "console_users.swap",
    "console_users.update",
})  # fmt: skip


class PasswordNeeded(NotAllowed):
    """The password was not entered recently."""


def require_password() -> None:
    """Confirm the session with the password in the form, if the form needs it.

    Raises ``PasswordNeeded``, ``InvalidInput`` if the password is wrong, or ``TooManyAttempts``.
    """
    current = console_state().session
    is_reading = request.method in ("GET", "HEAD", "OPTIONS")
    if is_reading or request.endpoint in ORDINARY or current is None or current.is_confirmed:
        return
    console_state().needs_password = True
    email = current.admin.email
    if CONFIRMING_PASSWORD not in request.form:
        raise PasswordNeeded("Nothing was saved. Enter your password to continue.")
    try:
        renewed = confirm(
            current,
            request.form[CONFIRMING_PASSWORD],
            address=counted_address(),
            browser=known_browser(email),
            wrong_passwords=wrong_passwords.current,
        )
    except (InvalidInput, TooManyAttempts):
        refused_sign_in_recorder(request_state().app, email, reason="wrong password of a signed-in account")()
        raise
    session.update(renewed)
    console_state().session = resume_session(session)
    console_state().needs_password = False


def password_form(error: ServiceError) -> Form:
    """Return the form of the page that asks for the password, with its errors."""
    return Form() if isinstance(error, PasswordNeeded) else Form(request.form, error)


def repeated_fields() -> Iterator[tuple[str, str]]:
    """Yield the name and value of each field of the refused form, without the password and the form's own secret."""
    for name, values in request.form.lists():
        if name not in (CONFIRMING_PASSWORD, "csrf_token"):
            yield from ((name, value) for value in values)


def page_before() -> str:
    """Return the address of the page with the refused form: of the nearest path above that is a page."""
    adapter, path = request_ctx.url_adapter, request.path
    while adapter is not None and path:
        with suppress(HTTPException):
            endpoint, values = adapter.match(path, "GET")
            return url_for(endpoint, **values)
        path = path.rpartition("/")[0]
    return url_for("console_enterprises.start")
