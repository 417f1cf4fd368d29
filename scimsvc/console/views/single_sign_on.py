"""The blueprints of single sign-on: begin at the provider, and return from it."""

from collections.abc import Callable

from flask import Response, flash, make_response, redirect, request, session
from werkzeug.wrappers import Response as BaseResponse

from scimsvc.console.begin_session import begin_session
from scimsvc.console.half_sign_in import ask_for_code
from scimsvc.console.identity_provider import IdentityProvider, SignInRefused, identity_provider, new_challenge
from scimsvc.console.pages import Answer, admin, console_blueprint, go, open_blueprint, page, safe_next
from scimsvc.console.provider_calls import ProviderUnavailable
from scimsvc.console.sign_in_flow import Flow, Purpose, current_flow, forget_flow, remember_flow
from scimsvc.enterprises import admins, sessions, single_sign_on
from scimsvc.enterprises.admin_records import refused_sign_in_recorder
from scimsvc.enterprises.single_sign_on import Identity, NoAccount
from scimsvc.errors import Conflict, NoSuchThing, ServiceError
from scimsvc.paths import SIGN_IN_CALLBACK
from scimsvc.web.hooks import after_response
from scimsvc.web.state import request_state

sign_in_by_provider = open_blueprint("single_sign_on")
own_identity = console_blueprint("own_identity")


def _provider() -> IdentityProvider:
    provider = identity_provider.current
    if provider is None:
        raise NoSuchThing("Single sign-on is off. Set SCIMSVC_OIDC_ISSUER to turn it on.", what="page")
    return provider


@sign_in_by_provider.get("/sign-in/single-sign-on")
def begin() -> Answer:
    """Send the browser to the provider."""
    challenge = new_challenge()
    url = _provider().authorization_url(challenge)
    return remember_flow(redirect(url, 303), Flow(challenge, Purpose.SIGN_IN, next=request.args.get("next", "")))


@sign_in_by_provider.post("/password/<link>/single-sign-on")
def begin_with_link(link: str) -> Answer:
    """Show the page that leads a person with a one-time link to the provider."""
    account = admins.show_link(link)
    return _lead_to_provider(Purpose.ACCEPT, single_sign_on.digest_link(link), account["email"])


@own_identity.post("/account/single-sign-on")
def begin_link() -> Answer:
    """Show the page that leads the person who is signed in to the provider."""
    return _lead_to_provider(Purpose.LINK, admin().id, admin().email)


@own_identity.get("/account/single-sign-on/confirm")
def confirm() -> Answer:
    """Send the person who is signed in to the provider, to sign in there again."""
    if single_sign_on.find_sign_in_ways(admin()).identity is None:
        return go("console_own_account.show", "This account has no single sign-on.", tone="bad")
    challenge = new_challenge()
    url = _provider().authorization_url(challenge, prompt="login", max_age="0")
    next_page = request.args.get("next", "").removeprefix(request.script_root)
    flow = Flow(challenge, Purpose.CONFIRM, admin().id, next_page)
    return remember_flow(redirect(url, 303), flow)


def _lead_to_provider(purpose: Purpose, subject: str, email: str) -> Answer:
    """Return a page with a link to the provider.

    A redirect would not arrive: Chromium applies ``form-action`` to all redirects that follow a form.
    """
    challenge = new_challenge()
    url = _provider().authorization_url(challenge, prompt="login")
    response = make_response(page("to_provider.html", url=url, email=email))
    return remember_flow(response, Flow(challenge, purpose, subject))


@sign_in_by_provider.get(SIGN_IN_CALLBACK)
def return_from_provider() -> Answer:
    """Sign in the person whom the provider identifies, or link the identity to an account."""
    provider, flow = _provider(), current_flow()
    if flow is None:
        raise SignInRefused(_NOT_BEGUN, "this browser began no sign-in")
    identity = provider.identify(request.args, flow.challenge)
    return forget_flow(_FINISH[flow.purpose](flow, identity))


_NOT_BEGUN = (
    "This browser has begun no sign-in in the last ten minutes, or cookies are blocked. "
    "Open the sign-in page and try again."
)


def _finish_sign_in(flow: Flow, identity: Identity) -> BaseResponse:
    account = single_sign_on.sign_in_with_identity(identity)
    if single_sign_on.needs_code(account, identity):
        return ask_for_code(account, next_page=flow.next)
    begin_session(account, by_provider=identity.has_second_factor)
    return redirect(safe_next(flow.next), 303)


def _finish_accept(flow: Flow, identity: Identity) -> BaseResponse:
    account = single_sign_on.accept_link(flow.subject, identity)
    if single_sign_on.needs_code(account, identity):
        return ask_for_code(account, "Single sign-on linked. Enter a code to sign in.")
    begin_session(account, by_provider=identity.has_second_factor)
    return go("console_enterprises.start", "Single sign-on linked. You are signed in.")


def _finish_link(flow: Flow, identity: Identity) -> BaseResponse:
    single_sign_on.link_identity(_resume(flow).admin, identity)
    return go("console_own_account.show", "Single sign-on linked.")


def _finish_confirm(flow: Flow, identity: Identity) -> BaseResponse:
    session.update(single_sign_on.confirm_with_identity(_resume(flow), identity))
    flash("Confirmed. Send the form again.", "good")
    return redirect(safe_next(flow.next), 303)


def _resume(flow: Flow) -> sessions.Session:
    """Return the session in which ``flow`` began. Raises ``SignInRefused`` if it has ended."""
    current = sessions.resume_session(session)
    if current is None or current.admin.id != flow.subject:
        raise SignInRefused("Your session has ended. Sign in and try again.", "the session has ended")
    request_state().actor = current.admin.actor
    return current


_FINISH: dict[Purpose, Callable[[Flow, Identity], BaseResponse]] = {
    Purpose.SIGN_IN: _finish_sign_in,
    Purpose.ACCEPT: _finish_accept,
    Purpose.LINK: _finish_link,
    Purpose.CONFIRM: _finish_confirm,
}


@own_identity.post("/account/single-sign-on/unlink")
def unlink() -> Answer:
    """Unlink the identity of the account."""
    single_sign_on.unlink_identity(admin())
    return go("console_own_account.show", "Single sign-on unlinked.")


@sign_in_by_provider.errorhandler(SignInRefused)
@sign_in_by_provider.errorhandler(NoAccount)
@sign_in_by_provider.errorhandler(ProviderUnavailable)
@sign_in_by_provider.errorhandler(Conflict)
@own_identity.errorhandler(ProviderUnavailable)
def refuse(error: ServiceError) -> Response:
    """Show why the sign-in was refused, and what to do."""
    request_state().refusal = error
    response = make_response(page("sign_in_refused.html", detail=error.detail), error.status)
    response.headers.extend(getattr(error, "headers", {}))
    return response


@sign_in_by_provider.after_request
def end_refused_flow(response: Response) -> Response:
    """Delete the cookie of a refused flow, and record the refusal after the response is sent."""
    state = request_state()
    if not isinstance(state.refusal, (SignInRefused, NoAccount, Conflict)):
        return response
    reason = f"single sign-on: {getattr(state.refusal, 'reason', 'no account')}"
    email = getattr(state.refusal, "email", None) or ""
    after_response(state, response, refused_sign_in_recorder(state.app, email, reason=reason))
    forget_flow(response)
    return response
