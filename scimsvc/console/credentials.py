"""What the pages of integrations and of tokens share: a page that shows a secret once, and integrations' names."""

from typing import Any

from scimsvc.auth.clients import list_integrations
from scimsvc.console.pages import Answer, enterprise_id, page


def show_once(
    title: str,
    beside: dict[str, str],
    *,
    secret: str,
    secret_name: str = "Client secret",  # noqa: S107  # a label
    issued: dict[str, Any] | None = None,
) -> Answer:
    """Return the page that shows ``secret``, which no other page does, and what belongs ``beside`` it."""
    return page("secret.html", title=title, beside=beside, secret=secret, secret_name=secret_name, issued=issued)


def integration_names() -> dict[str, str]:
    """Return the names of the enterprise's integrations, by their client IDs."""
    return {each["client_id"]: each["name"] for each in list_integrations(enterprise_id())}
