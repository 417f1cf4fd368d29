"""The blueprint of the accounts that see all enterprises, for operators. Auditors of all enterprises can read it."""

from scimsvc.console import account_pages
from scimsvc.console.account_pages import Reach
from scimsvc.console.forms import redisplay_on_error
from scimsvc.console.pages import Answer, admin, console_blueprint, page
from scimsvc.enterprises.accounts import count_accounts
from scimsvc.enterprises.admins import refuse_unless_all_enterprises, refuse_unless_operator
from scimsvc.web.mail import mailer

all_accounts = console_blueprint("all_accounts")


def _reach() -> Reach:
    """Return the accounts of the installation. Raises ``NoSuchThing`` if no operator is signed in."""
    refuse_unless_operator(admin())
    return Reach(None, all_accounts.name)


@all_accounts.get("/accounts")
def list_() -> Answer:
    """List the accounts that see all enterprises, and the number of accounts of each enterprise."""
    refuse_unless_all_enterprises(admin())
    return page(
        "all_accounts.html", **account_pages.account_list(Reach(None, all_accounts.name)), enterprises=count_accounts()
    )


@all_accounts.get("/accounts/invite")
def ask() -> Answer:
    """Show the form for a new account."""
    return account_pages.invitation(_reach())


@all_accounts.post("/accounts/invite")
@redisplay_on_error(ask)
def invite() -> Answer:
    """Create an account, and show its link."""
    return account_pages.invite(_reach())


@all_accounts.get("/accounts/<admin_id>/link")
def show_link(admin_id: str) -> Answer:
    """Show the link of an account once."""
    return account_pages.link_page(_reach(), admin_id)


@all_accounts.get("/accounts/<admin_id>/role")
def ask_role(admin_id: str) -> Answer:
    """Show the form of an account's role."""
    return account_pages.role_form(_reach(), admin_id)


@all_accounts.post("/accounts/<admin_id>/role")
@redisplay_on_error(ask_role)
def change_role(admin_id: str) -> Answer:
    """Change the role of an account."""
    return account_pages.change_role(_reach(), admin_id)


@all_accounts.get("/accounts/<admin_id>/reset")
def ask_to_reset(admin_id: str) -> Answer:
    """Ask how to reset an account."""
    return account_pages.reset_form(_reach(), admin_id)


@all_accounts.post("/accounts/<admin_id>/reset")
@redisplay_on_error(ask_to_reset)
def reset(admin_id: str) -> Answer:
    """Create another link for an account, and show it."""
    return account_pages.reset(_reach(), admin_id)


@all_accounts.get("/accounts/<admin_id>/reset-second-factor")
def ask_to_reset_second_factor(admin_id: str) -> Answer:
    """Ask for confirmation to reset the second factor of an account."""
    return account_pages.second_factor_reset(_reach(), admin_id)


@all_accounts.post("/accounts/<admin_id>/reset-second-factor")
@redisplay_on_error(ask_to_reset_second_factor)
def reset_second_factor(admin_id: str) -> Answer:
    """Reset the second factor of an account."""
    return account_pages.reset_second_factor(_reach(), admin_id)


@all_accounts.get("/accounts/<admin_id>/remove")
def ask_to_remove(admin_id: str) -> Answer:
    """Ask for confirmation to remove an account."""
    return account_pages.removal(_reach(), admin_id)


@all_accounts.post("/accounts/<admin_id>/remove")
@redisplay_on_error(ask_to_remove)
def remove(admin_id: str) -> Answer:
    """Remove an account."""
    return account_pages.remove(_reach(), admin_id)


@all_accounts.get("/mail/<mail_id>")
def show_delivery(mail_id: str) -> Answer:
    """Show whether an e-mail was sent. The page of a link updates it live."""
    return page("mail_delivery.html", delivery=mailer.current.delivery(mail_id))
