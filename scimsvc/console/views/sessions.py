"""The blueprints of sessions: an account ends its own, and an operator those of others."""

from scimsvc.console.pages import Answer, admin, console_blueprint, go, page, signed_in_session
from scimsvc.console.sign_out import signed_out
from scimsvc.enterprises import sessions as services

own_sessions = console_blueprint("own_sessions")
sessions = console_blueprint("sessions")


@own_sessions.post("/account/sessions/<session_id>/end")
def end(session_id: str) -> Answer:
    """End a session of the account."""
    services.end_session(admin().id, session_id)
    if session_id == signed_in_session().id:
        return signed_out("Signed out.")
    return go("console_own_account.show", "Session ended.")


@own_sessions.post("/account/sessions/end-others")
def end_others() -> Answer:
    """End all sessions of the account except this one."""
    services.end_sessions(admin().id, except_id=signed_in_session().id)
    return go("console_own_account.show", "All other sessions ended.")


@sessions.get("/sessions")
def list_all() -> Answer:
    """List the sessions of all accounts."""
    return page(
        "sessions.html",
        sessions=services.list_all_sessions(admin()),
        this_session=signed_in_session().id,
        most=services.MOST_LISTED,
    )


@sessions.post("/sessions/<session_id>/end")
def end_of_any(session_id: str) -> Answer:
    """End a session of any account as an operator."""
    account = services.end_any_session(admin(), session_id)
    if session_id == signed_in_session().id:
        return signed_out("Signed out.")
    return go("console_sessions.list_all", f"Session of {account} ended.")
