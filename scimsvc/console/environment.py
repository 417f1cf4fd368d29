"""The environment of the console: sessions, headers, template functions, and error pages."""

from datetime import timedelta
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, make_response, request
from flask_wtf.csrf import generate_csrf
from jinja2 import StrictUndefined
from markupsafe import Markup, escape
from werkzeug.exceptions import HTTPException

from scimsvc.console.forms import current_form, page_again
from scimsvc.console.identity_provider import IdentityProvider, identity_provider
from scimsvc.console.navigation import section_above, section_groups, sections
from scimsvc.console.pages import add_enterprise, admin, page
from scimsvc.console.permissions import may_send
from scimsvc.console.provider_guides import provider_name
from scimsvc.console.reauthentication import SENSITIVE, page_before, password_form, repeated_fields
from scimsvc.console.sessions import ConsoleSessions
from scimsvc.console.state import console_state
from scimsvc.console.theme import THEMES, chosen_theme
from scimsvc.console.user_agents import browser_name
from scimsvc.enterprises.admin_records import RefusalAllowance, refusal_allowance
from scimsvc.enterprises.admins import LINK_LIFETIME
from scimsvc.enterprises.sessions import CONFIRMED
from scimsvc.enterprises.sign_in import CONFIRMING_PASSWORD
from scimsvc.enterprises.single_sign_on import find_sign_in_ways
from scimsvc.errors import EnterpriseSuspended, LinkEnded, NoSuchThing, ReadOnlyAccount, ServiceError
from scimsvc.paths import CONSOLE_PREFIX, SIGN_IN_CALLBACK
from scimsvc.settings import Settings
from scimsvc.web.errors import ErrorFormat, Refusal, RequestRefused, describe_http_error, register_error_format
from scimsvc.web.state import app_settings, web_state

#: Pages load files only from this service and contain no inline script or style. No other site can frame a page or see
#: its address.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}

#: The titles of error pages for people. Others have the phrase of HTTP.
_TITLES = {
    HTTPStatus.FORBIDDEN: "Not allowed",
    HTTPStatus.NOT_FOUND: "Page not found",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Request too large",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Internal error",
    HTTPStatus.SERVICE_UNAVAILABLE: "Service not available",
}
#: The message of a page that does not exist, or that the account cannot see.
MISSING_PAGE = "This page does not exist, or you do not have access to it."


def init_console(app: Flask, *, version: str) -> None:
    """Initialize sessions, templates and error pages of the console for ``app``. Other paths are not affected.

    Pages show the ``version`` of the package.
    """
    app.config["WTF_CSRF_TIME_LIMIT"] = None  # a form is valid as long as its session
    app.jinja_options = {"undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}
    app.context_processor(_known_to_templates)
    for name, function in {
        "sentence": sentence,
        "capitalized": capitalized,
        "utc": utc,
        "shown_time": shown_time,
        "browser_name": browser_name,
        "breakable": breakable,
    }.items():
        app.add_template_filter(function, name)
    app.jinja_env.globals["version"] = version
    app.url_defaults(add_enterprise)
    app.session_interface = ConsoleSessions()
    refusal_allowance.init_app(app, RefusalAllowance())
    identity_provider.init_app(app, _identity_provider(web_state.of(app).settings))
    register_error_format(app, CONSOLE_PREFIX, ErrorFormat(_answer_error, _describe_http_error))


def _identity_provider(settings: Settings) -> IdentityProvider | None:
    if settings.provider is None:
        return None
    return IdentityProvider(settings.provider, f"{settings.public_url}{CONSOLE_PREFIX}{SIGN_IN_CALLBACK}")


def protect(response: Response) -> Response:
    """Add the security headers to the response."""
    response.headers.update(HEADERS)
    if request.endpoint in _PAGES_WITH_A_SECRET:
        response.headers["Referrer-Policy"] = "no-referrer"
    return response


#: The pages of a one-time link. Even requests for style sheets must not repeat their address, for the log of a proxy.
_PAGES_WITH_A_SECRET = frozenset(
    {
        "console_accounts.choose_password",
        "console_accounts.set_password",
        "console_single_sign_on.begin_with_link",
        "console_single_sign_on.return_from_provider",
    }
)


def _known_to_templates() -> dict[str, Any]:
    state, settings = console_state(), app_settings()
    return {
        "admin": state.admin,
        "enterprise": state.enterprise,
        "form": current_form(),
        "csrf_token": generate_csrf,
        "sections": sections(),
        "section_groups": section_groups(),
        "section_above": section_above(),
        "theme": chosen_theme(),
        "themes": THEMES,
        "may_send": may_send,
        "blueprint": request.blueprint,
        "plural": plural,
        "provider_name": provider_name,
        "has_single_sign_on": settings.provider is not None,
        "local_sign_in": settings.local_sign_in,
    }


def plural(number: int, one: str, many: str | None = None) -> str:
    """Return ``number`` with the word in its singular or plural form: 1 user, 1,234 users."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _describe_http_error(error: HTTPException) -> str:
    return MISSING_PAGE if error.code == HTTPStatus.NOT_FOUND else describe_http_error(error)


def _answer_error(error: Refusal) -> Response:
    if isinstance(error, ServiceError) and not isinstance(error, RequestRefused):
        return _refused_page(error)
    return _error_page(error.status, sentence(error.detail))


def _refused_page(error: ServiceError) -> Response:
    """Answer a refused request with its form and the errors, or with an error page if no form was sent."""
    if isinstance(error, LinkEnded):
        return _answer_page(error.status, page("link_ended.html", hours=LINK_LIFETIME // timedelta(hours=1)))
    is_missing = isinstance(error, NoSuchThing) and error.what is not None
    has_form = not is_missing and not isinstance(error, EnterpriseSuspended | ReadOnlyAccount)
    try:
        again = (_password_page(error) if console_state().needs_password else page_again(error)) if has_form else None
    except ServiceError as further:  # the object of the form no longer exists
        error, again = further, None
    if again is None:
        return _error_page(error.status, MISSING_PAGE if is_missing else sentence(error.detail))
    response = protect(make_response(again))
    response.status_code = error.status
    return response


def _password_page(error: ServiceError) -> str:
    """Return the page that asks for the password, and then sends the refused form again."""
    console_state().form = password_form(error)
    return page(
        "password_again.html",
        purpose=SENSITIVE.get(request.endpoint or "", "continue"),
        password=CONFIRMING_PASSWORD,
        fields=list(repeated_fields()),
        back=page_before(),
        minutes=CONFIRMED.seconds // 60,
        ways=find_sign_in_ways(admin()),
    )


def _error_page(status: int, detail: str) -> Response:
    """Return an error page."""
    return _answer_page(status, page("error.html", title=_title(status), detail=detail))


def _title(status: int) -> str:
    known = HTTPStatus(status)
    return _TITLES.get(known, known.phrase)


def _answer_page(status: int, content: str) -> Response:
    response = make_response(content)
    response.status_code = status
    return protect(response)


def sentence(text: str) -> str:
    """Return ``text`` with a capital letter and a full stop."""
    return capitalized(text) + ("" if text.endswith((".", "!", "?")) else ".")


def capitalized(text: str) -> str:
    """Return ``text`` with its first letter in upper case."""
    return text[:1].upper() + text[1:]


def utc(moment: str) -> str:
    """Return a time for a text that the script of the page does not convert to the reader's time zone."""
    return f"{moment[:10]} {moment[11:16]} UTC"


def shown_time(moment: str, show: str = "minute") -> str:
    """Return a time in UTC for a page that names the time zone. The script converts it to the reader's time zone."""
    day, time = moment[:10], moment[11:19]
    return {"day": day, "hour": time[:5], "second": f"{day} {time}"}.get(show, f"{day} {time[:5]}")


def breakable(value: str) -> Markup:
    """Return ``value``, in which lines can break before an at sign and after the colons of a URN."""
    safe = Markup("<wbr>@").join(escape(value).split("@"))
    return Markup(":<wbr>").join(safe.split(":")) if value.startswith("urn:") else safe
