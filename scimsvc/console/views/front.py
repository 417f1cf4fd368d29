"""The blueprint of the path ``/``, which leads browsers to the console (contract section 10)."""

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from scimsvc.errors import NoSuchThing
from scimsvc.paths import API_PREFIX, CONSOLE_PREFIX, SCIM_PREFIX

front = Blueprint("console_front", __name__)


@front.get("/")
def start() -> Response:
    """Redirect a browser to the console. Raises ``NoSuchThing`` for other clients, with the paths that exist."""
    if request.accept_mimetypes.best_match(("application/json", "text/html"), "application/json") != "text/html":
        raise NoSuchThing(
            f"The path '/' does not exist. The console is at {CONSOLE_PREFIX}, SCIM at {SCIM_PREFIX}, and the "
            f"enterprise API at {API_PREFIX}."
        )
    response = redirect(url_for("console_enterprises.start"))
    response.headers["Vary"] = "Accept"
    return response
