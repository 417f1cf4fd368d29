"""Functions for all blueprints of the console: access, the enterprise of a page, and responses."""

import re
from functools import partial
from typing import Any
from urllib.parse import SplitResult, urlsplit

from flask import (
    Blueprint,
    Response,
    after_this_request,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from werkzeug.wrappers import Response as BaseResponse

from scimsvc.auth.rate_limit import CONSOLE, rate_limit
from scimsvc.console.begin_session import BY_PROVIDER
from scimsvc.console.forms import refuse_stale_form
from scimsvc.console.permissions import refuse_auditor
from scimsvc.console.reauthentication import require_password
from scimsvc.console.state import ConsoleState, console_state
from scimsvc.enterprises.admins import Admin, enter_enterprise
from scimsvc.enterprises.second_factor import must_set_up
from scimsvc.enterprises.sessions import ID, Session, needs_note, note_use, resume_session
from scimsvc.errors import NoSuchThing
from scimsvc.paths import CONSOLE_PREFIX, clean_path, is_console
from scimsvc.vocabulary import ID_PATTERN
from scimsvc.web.form_parser import limit_form_of_stranger
from scimsvc.web.hooks import after_response
from scimsvc.web.state import find_request_state, request_state

_ID = re.compile(ID_PATTERN)
#: The result of a view: a page or a redirect.
Answer = str | BaseResponse


def open_blueprint(name: str) -> Blueprint:
    """Return a blueprint of pages that need no sign-in."""
    blueprint = Blueprint(f"console_{name}", __name__, url_prefix=CONSOLE_PREFIX)
    blueprint.before_request(limit_form_of_stranger)
    blueprint.before_request(refuse_stale_form)
    return blueprint


def console_blueprint(name: str) -> Blueprint:
    """Return a blueprint of pages for signed-in administrators."""
    blueprint = Blueprint(f"console_{name}", __name__, url_prefix=CONSOLE_PREFIX)
    blueprint.before_request(_admit)
    blueprint.before_request(_refuse_auditor)
    blueprint.before_request(refuse_stale_form)
    blueprint.before_request(require_password)
    return blueprint


def enterprise_blueprint(name: str) -> Blueprint:
    """Return a blueprint of pages of one enterprise, below ``/console/enterprises/<enterprise_id>``.

    Its views have no parameter ``enterprise_id``. Call ``enterprise_id()`` instead. ``url_for`` adds it to links.
    """
    blueprint = Blueprint(f"console_{name}", __name__, url_prefix=f"{CONSOLE_PREFIX}/enterprises/<enterprise_id>")

    blueprint.before_request(_take_enterprise_id)
    blueprint.before_request(_admit)
    blueprint.before_request(_enter)
    blueprint.before_request(_refuse_auditor)
    blueprint.before_request(refuse_stale_form)
    blueprint.before_request(require_password)
    return blueprint


def _take_enterprise_id() -> None:
    console_state().requested_enterprise_id = (request.view_args or {}).pop("enterprise_id", None)


def add_enterprise(endpoint: str, values: dict[str, Any]) -> None:
    """Add the enterprise of the current page to links that do not name another enterprise."""
    state = find_request_state()
    enterprise_id = state.feature.requested_enterprise_id if state and isinstance(state.feature, ConsoleState) else None
    if enterprise_id is not None and "enterprise_id" not in values and _is_of_enterprise(endpoint):
        values["enterprise_id"] = enterprise_id


def _is_of_enterprise(endpoint: str) -> bool:
    return current_app.url_map.is_endpoint_expecting(endpoint, "enterprise_id")


def _admit() -> Any:
    """Set the signed-in administrator, or redirect to the sign-in page. Raises ``TooManyRequests``."""
    resumed = resume_session(session)
    # Live updates are not activity of the administrator, and no messages are shown in them.
    is_seen = "live" not in request.args
    if resumed is None:
        if is_seen:
            _forget_session()
        return redirect(url_for("console_accounts.sign_in", next=_here()))
    if is_seen and needs_note(resumed):
        after_this_request(partial(_note_use_after, resumed))
    state, admin = console_state(), resumed.admin
    state.session, state.admin = resumed, admin
    rate_limit.current.take(admin.enterprise_id or admin.id, CONSOLE)
    request_state().actor = admin.actor
    if must_set_up(admin) and BY_PROVIDER not in session and request.endpoint not in _BEFORE_SECOND_FACTOR:
        if is_seen:
            flash("The operator of this service requires a second factor. Set it up to continue.", "info")
        return redirect(url_for("console_second_factor.set_up"), 303)
    return None


#: The endpoints for an account that must set up a second factor.
_BEFORE_SECOND_FACTOR = frozenset(
    {"console_second_factor.set_up", "console_second_factor.enable", "console_own_account.sign_out"}
)


def _forget_session() -> None:
    had_begun = ID in session
    session.clear()
    if had_begun:
        flash("Your session has ended. Sign in again to continue where you left off.", "info")


def _note_use_after(resumed: Session, response: Response) -> Response:
    """Note after the response is sent that the session is used."""
    after_response(request_state(), response, partial(note_use, resumed))
    return response


def _here() -> str:
    """Return the page to return to after signing in: this page, or the page of the submitted form."""
    url = request.url if request.method == "GET" else request.referrer or request.url
    page = _split(url)
    path = page.path.removeprefix(request.script_root)
    return path + (f"?{page.query}" if page.query else "")


def _split(url: str) -> SplitResult:
    """Return the parts of ``url``. They are empty if it is not valid, or too long for the cache of urllib."""
    try:
        return urlsplit(url if len(url) <= _LONGEST_URL else "")
    except ValueError:  # a browser never sends it
        return urlsplit("")


#: Characters of the address of a page.
_LONGEST_URL = 2000


def safe_next(target: str | None) -> str:
    """Return the page ``target`` of the console, else the start page.

    The paths of pages need no escapes. A browser would read ``%2e%2e`` as the folder above.
    """
    if target and target.isprintable() and "\\" not in target and target.startswith(CONSOLE_PREFIX):
        url = urlsplit(target)
        path = clean_path(url.path)
        if is_console(path) and _PAGE.fullmatch(path):
            return request.script_root + path + (f"?{url.query}" if url.query else "")
    return url_for("console_enterprises.start")


_PAGE = re.compile(r"(?:/[A-Za-z0-9_-]+)+", re.ASCII)


def is_id(text: str) -> bool:
    """Return whether ``text`` has the form of an ID."""
    return _ID.fullmatch(text) is not None


def _enter() -> None:
    state = console_state()
    for name, value in ((request.view_args or {}) | {"enterprise_id": state.requested_enterprise_id}).items():
        if name.endswith("_id") and not is_id(value or ""):
            raise NoSuchThing("This page does not exist.", what="page")
    state.enterprise = enter_enterprise(admin(), state.requested_enterprise_id or "")


def _refuse_auditor() -> None:
    refuse_auditor(admin())


def admin() -> Admin:
    """Return the signed-in administrator."""
    admin = console_state().admin
    assert admin is not None
    return admin


def signed_in_session() -> Session:
    """Return the session of the request."""
    signed_in = console_state().session
    assert signed_in is not None
    return signed_in


def enterprise() -> dict[str, Any]:
    """Return the enterprise of the page."""
    enterprise = console_state().enterprise
    assert enterprise is not None
    return enterprise


def enterprise_id() -> str:
    """Return the ID of the enterprise of the page. The page can access only this enterprise."""
    return str(enterprise()["id"])


def parameters(*names: str) -> dict[str, str]:
    """Return the query parameters with these ``names`` that are not empty."""
    return {name: request.args[name] for name in names if request.args.get(name)}


def in_utc(filters: dict[str, str]) -> dict[str, str]:
    """Return the filters with times in UTC, because browsers send times without an offset.

    The minute of ``until`` is included.
    """
    times = {name: filters[name] for name in _SECONDS if len(filters.get(name, "")) == _TO_THE_MINUTE}
    return {**filters, **{name: f"{time}{_SECONDS[name]}" for name, time in times.items()}}


#: The seconds of the times of filters.
_SECONDS = {"since": ":00Z", "until": ":59.999Z"}
_TO_THE_MINUTE = len("2026-11-30T21:36")


#: The start page of an enterprise.
HOME_ENDPOINT = "console_overview.show"


def page(template: str, **values: Any) -> str:
    """Render ``template`` (below ``console/``) with ``values``."""
    return render_template(f"console/{template}", **values)


def confirmation(title: str, text: str, *, action: str, back: str, **options: Any) -> str:
    """Return the page that asks for confirmation. ``action`` is the label of its button.

    With the option ``type_name``, the administrator must type that name to confirm.
    """
    return page("confirm.html", title=title, text=text, action=action, back=back, **options)


def go(endpoint: str, message: str | None = None, *, tone: str = "good", **values: Any) -> BaseResponse:
    """Redirect to the page of ``endpoint``, and show ``message`` there once."""
    if message:
        flash(message, tone)
    return redirect(url_for(endpoint, **values), 303)


def go_back(endpoint: str, message: str, *, tone: str = "good") -> BaseResponse:
    """Redirect to the page with the button, or to the page of ``endpoint`` if it is unknown."""
    flash(message, tone)
    return redirect(page_before(endpoint), 303)


def page_before(endpoint: str) -> str:
    """Return the address of the page with the button, or of the page of ``endpoint`` if it is unknown."""
    page = _split(request.referrer or "")
    path = page.path.removeprefix(request.script_root)
    if page.netloc == request.host and is_console(path):
        return safe_next(path + (f"?{page.query}" if page.query else ""))
    return url_for(endpoint)
