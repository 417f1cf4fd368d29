"""The pages of accounts, which an enterprise and the installation share."""

from functools import partial
from typing import Any, NamedTuple

from flask import url_for

from scimsvc import clock
from scimsvc.console.forms import flag, text
from scimsvc.console.pages import Answer, admin, confirmation, go, page
from scimsvc.console.shown_once import go_and_show, shown_once
from scimsvc.console.sign_out import signed_out
from scimsvc.enterprises import accounts
from scimsvc.enterprises.link_mail import mail_link
from scimsvc.web.mail import mailer
from scimsvc.web.state import request_state
from scimsvc.web.urls import password_url, public_root


class Reach(NamedTuple):
    """The accounts of an enterprise, or of the installation (None), and the blueprint of their pages."""

    enterprise_id: str | None
    blueprint: str

    @property
    def parameter(self) -> str:
        """The name of an account's ID in paths."""
        return "admin_id" if self.enterprise_id is None else "account_id"

    def url(self, view: str, **values: Any) -> str:
        """Return the URL of a page."""
        return url_for(f"{self.blueprint}.{view}", **values)


def account_list(reach: Reach) -> dict[str, Any]:
    """Return the values for the table of accounts."""
    return {
        "accounts": accounts.list_accounts(reach.enterprise_id),
        "of_account": partial(url_of_account, reach),
        "now": clock.timestamp(clock.now()),
    }


def url_of_account(reach: Reach, view: str, account_id: str) -> str:
    """Return the URL of a page of an account."""
    return reach.url(view, **{reach.parameter: account_id})


def invitation(reach: Reach) -> Answer:
    """Return the form for a new account."""
    return page("account_invite.html", roles=accounts.roles_of(reach.enterprise_id), back=reach.url("list_"))


def invite(reach: Reach) -> Answer:
    """Create an account, and show and e-mail its link."""
    return _go_to_link(reach, accounts.invite(reach.enterprise_id, text("email"), text("role")), "Account created")


def role_form(reach: Reach, account_id: str) -> Answer:
    """Return the form of an account's role."""
    account = accounts.show_account(reach.enterprise_id, account_id)
    return page(
        "account_role.html", account=account, roles=accounts.roles_of(reach.enterprise_id), back=reach.url("list_")
    )


def change_role(reach: Reach, account_id: str) -> Answer:
    """Change the role of an account."""
    account = accounts.change_role(admin(), reach.enterprise_id, account_id, text("role"))
    return go(f"{reach.blueprint}.list_", f"{account['email']} is now an {account['role']}.")


def reset_form(reach: Reach, account_id: str) -> Answer:
    """Ask how to reset an account."""
    account = accounts.show_account(reach.enterprise_id, account_id)
    return page("account_reset.html", account=account, back=reach.url("list_"))


def reset(reach: Reach, account_id: str) -> Answer:
    """Create another link, and show and e-mail it."""
    account = accounts.reset(admin(), reach.enterprise_id, account_id, end_now=flag("end_now"))
    return _go_to_link(reach, account, "One-time link created")


def second_factor_reset(reach: Reach, account_id: str) -> Answer:
    """Ask for confirmation to reset the second factor of an account."""
    account = accounts.show_account(reach.enterprise_id, account_id)
    return confirmation(
        f"Reset the second factor of {account['email']}?",
        "Its app and recovery codes stop working, and its sessions end. The password is then enough to sign in. "
        "Make sure that the owner of the account asks for this.",
        action="Reset second factor",
        back=reach.url("list_"),
    )


def reset_second_factor(reach: Reach, account_id: str) -> Answer:
    """Reset the second factor of an account."""
    account = accounts.reset_second_factor(admin(), reach.enterprise_id, account_id)
    return go(f"{reach.blueprint}.list_", f"Second factor of {account['email']} reset.")


def removal(reach: Reach, account_id: str) -> Answer:
    """Ask for confirmation to remove an account. The own account needs its address as confirmation."""
    account = accounts.show_account(reach.enterprise_id, account_id)
    is_own = account["id"] == admin().id
    options = {"type_name": account["email"]} if is_own else {}
    return confirmation(
        "Remove your own account?" if is_own else f"Remove account {account['email']}?",
        "Its sessions and its one-time link end immediately. The audit log keeps its actions.",
        action="Remove account",
        back=reach.url("list_"),
        **options,
    )


def remove(reach: Reach, account_id: str) -> Answer:
    """Remove an account."""
    account = accounts.remove(admin(), reach.enterprise_id, account_id, text("typed_name"))
    if account["id"] == admin().id:
        return signed_out("Your account is removed.")
    return go(f"{reach.blueprint}.list_", f"Account {account['email']} removed.")


def link_page(reach: Reach, account_id: str) -> Answer:
    """Return the page that shows the new link of an account once, and whether it was e-mailed."""
    shown = shown_once()
    mail_id = shown.get("mail_id")
    return page(
        "account_link.html",
        title=shown.get("title", "One-time link"),
        account=accounts.show_account(reach.enterprise_id, account_id),
        url=shown.get("url"),
        expires_at=shown.get("expires_at"),
        is_mail_configured=mailer.current.is_configured,
        mail_id=mail_id,
        delivery=mailer.current.delivery(mail_id) if mail_id is not None else None,
        back=reach.url("list_"),
        again=reach.url("ask_to_reset", **{reach.parameter: account_id}),
    )


def _go_to_link(reach: Reach, account: dict[str, Any], title: str) -> Answer:
    """E-mail the link of an account, and redirect to the page that shows it once."""
    url = password_url(public_root(request_state()), account["link"])
    content = {
        "title": title,
        "url": url,
        "expires_at": account["link_expires_at"],
        "mail_id": mail_link(account, url, admin()),
    }
    return go_and_show(f"{reach.blueprint}.show_link", content, **{reach.parameter: account["id"]})
