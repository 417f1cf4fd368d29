"""What the console's blueprints share: who is signed in, which enterprise a page is of, and how a page is answered."""

import re
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from flask import Blueprint, current_app, flash, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response as BaseResponse

from scimsvc.console.forms import refuse_stale_form
from scimsvc.console.state import ConsoleState, console_state
from scimsvc.enterprises.admins import Admin, enter_enterprise, note_use, resume_session
from scimsvc.errors import NoSuchThing
from scimsvc.paths import CONSOLE_PREFIX, clean_path, is_console
from scimsvc.vocabulary import ID_PATTERN
from scimsvc.web.state import find_request_state

_ID = re.compile(ID_PATTERN)
#: What a view answers: a page, or where to go.
Answer = str | BaseResponse


def open_blueprint(name: str) -> Blueprint:
    """Return a blueprint of pages that nobody need be signed in for."""
    blueprint = Blueprint(f"console_{name}", __name__, url_prefix=CONSOLE_PREFIX)
    blueprint.before_request(refuse_stale_form)
    return blueprint


def console_blueprint(name: str) -> Blueprint:
    """Return a blueprint of pages for whoever is signed in."""
    blueprint = Blueprint(f"console_{name}", __name__, url_prefix=CONSOLE_PREFIX)
    blueprint.before_request(_admit)
    blueprint.before_request(refuse_stale_form)
    return blueprint


def enterprise_blueprint(name: str) -> Blueprint:
    """Return a blueprint of pages of one enterprise, below ``/console/enterprises/<enterprise_id>``.

    Its views take no ``enterprise_id``: ``enterprise_id()`` tells it, and ``url_for`` adds it to links among them.
    """
    blueprint = Blueprint(f"console_{name}", __name__, url_prefix=f"{CONSOLE_PREFIX}/enterprises/<enterprise_id>")

    blueprint.before_request(_take_enterprise_id)
    blueprint.before_request(_admit)
    blueprint.before_request(_enter)
    blueprint.before_request(refuse_stale_form)
    return blueprint


def _take_enterprise_id() -> None:
    console_state().requested_enterprise_id = (request.view_args or {}).pop("enterprise_id", None)


def add_enterprise(endpoint: str, values: dict[str, Any]) -> None:
    """Let links lead to pages of the same enterprise, unless they name another one."""
    state = find_request_state()
    enterprise_id = state.feature.requested_enterprise_id if state and isinstance(state.feature, ConsoleState) else None
    if enterprise_id is not None and "enterprise_id" not in values and _is_of_enterprise(endpoint):
        values["enterprise_id"] = enterprise_id


def _is_of_enterprise(endpoint: str) -> bool:
    return current_app.url_map.is_endpoint_expecting(endpoint, "enterprise_id")


def _admit() -> Any:
    """Find out who is signed in; whoever is not signs in first, and comes back."""
    admin = resume_session(session)
    # What a page asks for by itself is no sign of somebody being there, and no place to tell somebody anything.
    is_seen = "live" not in request.args
    if admin is None:
        if is_seen:
            _end_session()
        return redirect(url_for("console_accounts.sign_in", next=_here()))
    if is_seen:
        _note_use()
    console_state().admin = admin
    return None


def _end_session() -> None:
    had_begun = "admin" in session
    session.clear()
    if had_begun:
        flash("Your session has ended. Sign in again to continue where you left off.", "info")


def _note_use() -> None:
    changes = note_use(session)
    if changes:  # an update with nothing would set the cookie as well
        session.update(changes)


def _here() -> str:
    """Return the page to come back to: this one, or the one whose form was sent."""
    page = urlsplit(request.url if request.method == "GET" else request.referrer or request.url)
    path = page.path.removeprefix(request.script_root)
    return path + (f"?{page.query}" if page.query else "")


def safe_next(target: str | None) -> str:
    """Return where to go after signing in: the console's page that is target, and nothing outside of the console."""
    if target and target.isprintable() and "\\" not in target and target.startswith(CONSOLE_PREFIX):
        url = urlsplit(target)
        if not url.scheme and not url.netloc and is_console(clean_path(url.path)) and "/." not in url.path:
            return request.script_root + target
    return url_for("console_enterprises.start")


def _enter() -> None:
    state = console_state()
    for name, value in ((request.view_args or {}) | {"enterprise_id": state.requested_enterprise_id}).items():
        if name.endswith("_id") and _ID.fullmatch(value or "") is None:
            raise NoSuchThing("This page does not exist.", what="page")
    state.enterprise = enter_enterprise(admin(), state.requested_enterprise_id or "")


def admin() -> Admin:
    """Return who is signed in."""
    admin = console_state().admin
    assert admin is not None
    return admin


def enterprise() -> dict[str, Any]:
    """Return the enterprise that the page is of."""
    enterprise = console_state().enterprise
    assert enterprise is not None
    return enterprise


def enterprise_id() -> str:
    """Return the id of the enterprise that the page is of, which is all that the page can see."""
    return str(enterprise()["id"])


def parameters(*names: str) -> dict[str, str]:
    """Return the parameters of the query that are called so and are not empty."""
    return {name: request.args[name] for name in names if request.args.get(name)}


class Section(NamedTuple):
    """An entry of the navigation: where it leads, its name, and the blueprints whose pages belong to it."""

    endpoint: str
    name: str
    blueprints: tuple[str, ...]


#: The pages of an enterprise in the order of the navigation. An enterprise opens with the first.
SECTIONS = (
    Section("console_overview.show", "Overview", ("console_overview",)),
    Section("console_connect.show", "Connect Entra", ("console_connect",)),
    Section("console_users.list_", "Users", ("console_users",)),
    Section("console_log.list_", "Provisioning log", ("console_log",)),
    Section("console_explain.show", "Explain", ("console_explain",)),
    Section("console_roles.list_", "Roles", ("console_roles",)),
    Section("console_integrations.list_", "Integrations & tokens", ("console_integrations", "console_tokens")),
    Section("console_settings.show", "Settings", ("console_settings",)),
)
HOME_ENDPOINT = SECTIONS[0].endpoint


def page(template: str, **values: Any) -> str:
    """Return the page that ``template`` (below ``console/``) makes of ``values``."""
    return render_template(f"console/{template}", **values)


def confirmation(title: str, text: str, *, action: str, back: str, **options: Any) -> str:
    """Return the page that asks before something is destroyed: ``action`` is the button's label.

    ``type_name`` among the options wants a name typed as it is.
    """
    return page("confirm.html", title=title, text=text, action=action, back=back, **options)


def go(endpoint: str, message: str | None = None, *, tone: str = "good", **values: Any) -> BaseResponse:
    """Go to the page of ``endpoint``, which says ``message`` once."""
    if message:
        flash(message, tone)
    return redirect(url_for(endpoint, **values), 303)


def go_back(endpoint: str, message: str, *, tone: str = "good") -> BaseResponse:
    """Go back to the console's page that the button stood on, else to the page of ``endpoint``."""
    page = urlsplit(request.referrer or "")
    path = page.path.removeprefix(request.script_root)
    flash(message, tone)
    if page.netloc == request.host and is_console(path):
        return redirect(safe_next(path + (f"?{page.query}" if page.query else "")), 303)
    return redirect(url_for(endpoint), 303)
