"""Redirect after a form that creates a secret, and show the secret on the next page only.

A reload of the page shows it without the secret, and creates no other one.
"""

from typing import Any
from urllib.parse import urlsplit

from flask import redirect, request, session, url_for
from werkzeug.wrappers import Response as BaseResponse

from scimsvc.console.pages import signed_in_session
from scimsvc.enterprises.pending_secrets import keep_secret, take_secret

#: The member of the session's cookie that has the pad of the secret.
PAD = "pad"


def go_and_show(endpoint: str, content: dict[str, Any], **values: Any) -> BaseResponse:
    """Redirect to the page of ``endpoint``, which gets ``content`` once."""
    url = url_for(endpoint, **values)
    session[PAD] = keep_secret(signed_in_session().id, urlsplit(url).path, content)
    return redirect(url, 303)


def shown_once() -> dict[str, Any]:
    """Return the content that the form before this page created. Empty if it was shown, or if no form was sent."""
    if request.method != "GET" or PAD not in session or "live" in request.args:
        return {}
    content = take_secret(signed_in_session().id, request.script_root + request.path, session[PAD])
    if content is None:
        return {}
    del session[PAD]
    return content
