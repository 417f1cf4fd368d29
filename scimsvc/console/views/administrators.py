"""The blueprint of the accounts of an enterprise."""

from scimsvc.console import account_pages
from scimsvc.console.account_pages import Reach
from scimsvc.console.forms import redisplay_on_error
from scimsvc.console.pages import Answer, enterprise_blueprint, enterprise_id, page

administrators = enterprise_blueprint("administrators")


def _reach() -> Reach:
    return Reach(enterprise_id(), administrators.name)


@administrators.get("/administrators")
def list_() -> Answer:
    """List the accounts of the enterprise."""
    return page("administrators.html", **account_pages.account_list(_reach()))


@administrators.get("/administrators/invite")
def ask() -> Answer:
    """Show the form for a new account."""
    return account_pages.invitation(_reach())


@administrators.post("/administrators/invite")
@redisplay_on_error(ask)
def invite() -> Answer:
    """Create an account, and show its link."""
    return account_pages.invite(_reach())


@administrators.get("/administrators/<account_id>/link")
def show_link(account_id: str) -> Answer:
    """Show the link of an account once."""
    return account_pages.link_page(_reach(), account_id)


@administrators.get("/administrators/<account_id>/role")
def ask_role(account_id: str) -> Answer:
    """Show the form of an account's role."""
    return account_pages.role_form(_reach(), account_id)


@administrators.post("/administrators/<account_id>/role")
@redisplay_on_error(ask_role)
def change_role(account_id: str) -> Answer:
    """Change the role of an account."""
    return account_pages.change_role(_reach(), account_id)


@administrators.get("/administrators/<account_id>/reset")
def ask_to_reset(account_id: str) -> Answer:
    """Ask how to reset an account."""
    return account_pages.reset_form(_reach(), account_id)


@administrators.post("/administrators/<account_id>/reset")
@redisplay_on_error(ask_to_reset)
def reset(account_id: str) -> Answer:
    """Create another link for an account, and show it."""
    return account_pages.reset(_reach(), account_id)


@administrators.get("/administrators/<account_id>/reset-second-factor")
def ask_to_reset_second_factor(account_id: str) -> Answer:
    """Ask for confirmation to reset the second factor of an account."""
    return account_pages.second_factor_reset(_reach(), account_id)


@administrators.post("/administrators/<account_id>/reset-second-factor")
@redisplay_on_error(ask_to_reset_second_factor)
def reset_second_factor(account_id: str) -> Answer:
    """Reset the second factor of an account."""
    return account_pages.reset_second_factor(_reach(), account_id)


@administrators.get("/administrators/<account_id>/remove")
def ask_to_remove(account_id: str) -> Answer:
    """Ask for confirmation to remove an account."""
    return account_pages.removal(_reach(), account_id)


@administrators.post("/administrators/<account_id>/remove")
@redisplay_on_error(ask_to_remove)
def remove(account_id: str) -> Answer:
    """Remove an account."""
    return account_pages.remove(_reach(), account_id)
