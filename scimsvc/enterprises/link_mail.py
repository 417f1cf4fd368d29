"""E-mail a one-time link to the owner of an account."""

from datetime import datetime
from typing import Any

from scimsvc import clock
from scimsvc.enterprises.admins import Admin
from scimsvc.web.mail import Mail, mailer

_TEXT = """\
{inviter} created a one-time link for your account in scimsvc.

Role:  {role} of {reach}
Link:  {url}

Open the link and set a password. It works once, until {expiry}. Do not
forward this e-mail: everyone who has the link can set the password.

If you did not expect this e-mail, ignore it.
"""


def mail_link(account: dict[str, Any], url: str, inviter: Admin) -> str | None:
    """E-mail the ``url`` of the account's link. Return the ID of the e-mail, or None if it cannot be sent."""
    expires_at = clock.parse_timestamp(account["link_expires_at"])
    reach = account["enterprise"] or "all enterprises"
    text = _TEXT.format(inviter=inviter.email, role=account["role"], reach=reach, url=url, expiry=_in_words(expires_at))
    return mailer.current.send(
        Mail(account["email"], "Set a password for your scimsvc account", text), cause=inviter.id
    )


def _in_words(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
