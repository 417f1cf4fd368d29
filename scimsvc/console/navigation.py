"""The navigation around a page: the sections of the enterprise or of the service, and the section above a page."""

from itertools import groupby
from typing import NamedTuple

from flask import request

from scimsvc.console.state import console_state


class Section(NamedTuple):
    """An entry of the navigation: its endpoint, its name, the blueprints of its pages, and the heading above it."""

    endpoint: str
    name: str
    blueprints: tuple[str, ...]
    #: Sections that follow each other with the same heading are one group. Empty for the first ones.
    heading: str = ""


_DIRECTORY, _PROVISIONING, _ACCESS, _SETTINGS = "Directory", "Provisioning", "Access", "Administration"
#: The pages of an enterprise in the order of the navigation. The first one is the start page of an enterprise.
SECTIONS = (
    Section("console_overview.show", "Overview", ("console_overview",)),
    Section("console_alerts.list_", "Alerts", ("console_alerts",)),
    Section(
        "console_users.list_", "Users", ("console_users", "console_user_files", "console_reconciliation"), _DIRECTORY
    ),
    Section("console_groups.list_", "Groups", ("console_groups",), _DIRECTORY),
    Section("console_roles.list_", "Roles", ("console_roles",), _DIRECTORY),
    Section("console_attributes.list_", "Attributes", ("console_attributes",), _DIRECTORY),
    Section("console_connect.show", "Connect", ("console_connect",), _PROVISIONING),
    Section("console_log.list_", "Provisioning log", ("console_log",), _PROVISIONING),
    Section("console_explain.show", "Test a user", ("console_explain",), _PROVISIONING),
    Section("console_integrations.list_", "Integrations & tokens", ("console_integrations", "console_tokens"), _ACCESS),
    Section("console_webhooks.list_", "Webhooks", ("console_webhooks",), _ACCESS),
    Section("console_administrators.list_", "Administrators", ("console_administrators",), _ACCESS),
    Section("console_audit.list_", "Audit log", ("console_audit",), _SETTINGS),
    Section("console_settings.show", "Settings", ("console_settings", "console_enterprise"), _SETTINGS),
)
_OPERATION = "Operation"
#: The pages of accounts that see all enterprises.
SERVICE_SECTIONS = (
    Section("console_enterprises.start", "Enterprises", ("console_enterprises",)),
    Section("console_all_accounts.list_", "Accounts", ("console_all_accounts",), _ACCESS),
    Section("console_sessions.list_all", "Sessions", ("console_sessions",), _ACCESS),
    Section("console_audit_of_all.list_all", "Audit log", ("console_audit_of_all",), _OPERATION),
    Section("console_health.show", "Health", ("console_health",), _OPERATION),
    Section("console_selftest.show", "Self-test", ("console_selftest",), _OPERATION),
    Section("console_service_settings.show", "Settings", ("console_service_settings",), _OPERATION),
)
#: The pages of the account that is signed in.
ACCOUNT = Section(
    "console_own_account.show",
    "Your account",
    (
        "console_own_account",
        "console_own_alerts",
        "console_second_factor",
        "console_own_identity",
        "console_own_sessions",
    ),
)


def sections() -> tuple[Section, ...]:
    """Return the sections of the page's enterprise, or of the service for accounts that see all enterprises."""
    state = console_state()
    if state.enterprise is not None:
        return SECTIONS
    return SERVICE_SECTIONS if state.admin is not None and state.admin.sees_all else ()


def name_of(endpoint: str) -> str:
    """Return the name of the section with this endpoint, of an enterprise or of the service."""
    return next(each.name for each in (*SECTIONS, *SERVICE_SECTIONS) if each.endpoint == endpoint)


def section_groups() -> list[tuple[str, list[Section]]]:
    """Return the sections by their headings, in the order of the navigation."""
    return [(heading, list(group)) for heading, group in groupby(sections(), lambda each: each.heading)]


def section_above() -> Section | None:
    """Return the section to which the page belongs, or None if it is the page of the section itself."""
    if console_state().admin is None:
        return None
    above = (each for each in (*sections(), ACCOUNT) if request.blueprint in each.blueprints)
    return next((each for each in above if each.endpoint != request.endpoint), None)
