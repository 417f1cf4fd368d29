"""The blueprints of the search: in one enterprise, and above the enterprises."""

from flask import request

from scimsvc.console.finding import find
from scimsvc.console.pages import Answer, console_blueprint, enterprise_blueprint, page

search = console_blueprint("search")
search_inside = enterprise_blueprint("search_inside")


@search.get("/search")
def show() -> Answer:
    """Show pages and enterprises with the words."""
    return _found()


@search_inside.get("/search")
def show_inside() -> Answer:
    """Show pages, users and other objects of the enterprise with the words."""
    return _found()


def _found() -> Answer:
    """Return the page of the search. With ``part``, return only the results, for the script of the page."""
    words = request.args.get("search", "")
    return page("search_found.html" if "part" in request.args else "search.html", words=words, kinds=find(words))
