"""Map the actions of remedies to pages of the console."""

from typing import Any

from flask import url_for

from scimsvc.reports.cause_words import Action
from scimsvc.reports.causes import Remedy

#: The page of each action, and the name of the query parameter for the value of the remedy, if any.
_PAGES: dict[Action, tuple[str, str | None]] = {
    Action.ADD_ALIAS: ("console_roles.preview", "name"),
    Action.CREATE_ROLE: ("console_roles.new", "name"),
    Action.SHOW_USER: ("console_users.list_", "search"),
    Action.SHOW_HOLDER: ("console_users.show", "user_id"),
    Action.SHOW_HOLDING_GROUP: ("console_groups.show", "group_id"),
    Action.CONNECT: ("console_connect.show", None),
    Action.SETTINGS: ("console_settings.show", None),
    Action.RESUME: ("console_settings.show", None),
    Action.RELEASE: ("console_settings.ask_to_release", None),
    Action.TOKENS: ("console_tokens.ask", None),
    Action.INTEGRATIONS: ("console_integrations.list_", None),
    Action.EXPLAIN: ("console_explain.show", None),
}


def remedy_url(remedy: Remedy) -> str:
    """Return the URL of the page for ``remedy``."""
    endpoint, name = _PAGES[remedy.action]
    parameters: dict[str, Any] = {name: remedy.value} if name and remedy.value else {}
    if remedy.action == Action.ADD_ALIAS:
        parameters["_anchor"] = "alias"
    if remedy.action == Action.CONNECT:
        parameters = {"step": "mapping", "_anchor": "mapping"}
    return url_for(endpoint, **parameters)
