"""The blueprint that leads through the set-up of Entra."""

from scimsvc.web.console.pages import Answer, enterprise_blueprint, page

set_up = enterprise_blueprint("set_up")


@set_up.get("/set-up")
def show() -> Answer:
    """Show every step."""
    return page("set_up.html")
