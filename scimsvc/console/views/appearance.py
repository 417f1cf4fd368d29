"""The blueprint of the colors of the pages."""

from flask import redirect

from scimsvc.console.forms import text
from scimsvc.console.pages import Answer, console_blueprint, page_before
from scimsvc.console.theme import remember_theme

appearance = console_blueprint("appearance")


@appearance.post("/account/theme")
def choose() -> Answer:
    """Remember the colors in this browser, and return to the page."""
    return remember_theme(redirect(page_before("console_own_account.show"), 303), text("theme"))
