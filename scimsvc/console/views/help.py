"""The blueprint of the help page."""

from scimsvc.console.outside_links import LINKS
from scimsvc.console.pages import Answer, console_blueprint, page

help_page = console_blueprint("help")


@help_page.get("/help")
def show() -> Answer:
    """Show answers to frequent questions, with links to Microsoft's pages."""
    return page("help.html", links=LINKS)
