"""Functions for the pages of integrations and of tokens: show a secret once, and name integrations."""

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
    """Return the page that shows ``secret`` once, with the values ``beside`` it."""
    return page("secret.html", title=title, beside=beside, secret=secret, secret_name=secret_name, issued=issued)


def integration_names() -> dict[str, str]:
    """Return the names of the integrations of the enterprise by client ID."""
    return {each["client_id"]: each["name"] for each in list_integrations(enterprise_id())}
