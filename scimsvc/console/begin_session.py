"""Begin a session after a sign-in."""

from flask import request, session

from scimsvc.enterprises import sessions
from scimsvc.enterprises.admins import Admin
from scimsvc.web.client_address import client_address

#: The member of the signed cookie of a session that began with a second factor at the provider of single sign-on.
BY_PROVIDER = "by_provider"


def begin_session(account: Admin, *, by_provider: bool = False) -> None:
    """Begin a session of the account in place of the browser's previous one."""
    previous = dict(session)
    session.clear()  # no data of the old session, such as its CSRF secret, enters the new one
    client = sessions.Client(client_address(request), request.user_agent.string)
    session.update(sessions.begin_session(account, client, previous=previous))
    if by_provider:
        session[BY_PROVIDER] = True
