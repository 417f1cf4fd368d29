"""The response to a sign-out."""

from flask import request, session
from werkzeug.wrappers import Response as BaseResponse

from scimsvc.console.pages import go


def signed_out(message: str) -> BaseResponse:
    """Empty the session's cookie, lead to the sign-in page, and let the browser delete what it stored of the console.

    Cookies are not named in ``Clear-Site-Data``: browsers would delete those of every host of the domain. The cookie of
    a known browser stays, because it keeps strangers from locking the account out. Below the prefix of a mounted
    application, storage belongs to that application.
    """
    session.clear()
    response = go("console_accounts.sign_in", message)
    response.headers["Clear-Site-Data"] = '"cache"' if request.script_root else '"cache", "storage"'
    return response
