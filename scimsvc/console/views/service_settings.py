"""The blueprint of the global settings, for operators. Auditors of all enterprises can read them."""

from scimsvc.console.forms import redisplay_on_error, text
from scimsvc.console.pages import Answer, admin, console_blueprint, go, page
from scimsvc.enterprises.admins import refuse_unless_all_enterprises, refuse_unless_operator
from scimsvc.operations.global_settings import HIGHEST, set_global_settings, show_global_settings

service_settings = console_blueprint("service_settings")


@service_settings.get("/settings")
def show() -> Answer:
    """Show the global settings."""
    refuse_unless_all_enterprises(admin())
    return page("service_settings.html", values=show_global_settings())


@service_settings.post("/settings")
@redisplay_on_error(show)
def change() -> Answer:
    """Change the global settings together."""
    refuse_unless_operator(admin())
    set_global_settings({name: text(name) for name in HIGHEST})
    return go(".show", "Settings saved. Existing tokens keep their expiry.")
