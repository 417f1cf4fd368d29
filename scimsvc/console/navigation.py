"""The navigation around a page: the sections of the enterprise or of the service, and the section above a page."""

from flask import request

from scimsvc.console.pages import SECTIONS, Section
from scimsvc.console.state import console_state

#: The pages of accounts that see all enterprises.
SERVICE_SECTIONS = (
    Section("console_enterprises.start", "Enterprises", ("console_enterprises",)),
    Section("console_all_accounts.list_", "Accounts", ("console_all_accounts",)),
    Section("console_audit_of_all.list_all", "Audit log", ("console_audit_of_all",)),
    Section("console_sessions.list_all", "Sessions", ("console_sessions",)),
    Section("console_service_settings.show", "Settings", ("console_service_settings",)),
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


def section_above() -> Section | None:
    """Return the section to which the page belongs, or None if it is the page of the section itself."""
    if console_state().admin is None:
        return None
    above = (each for each in (*sections(), ACCOUNT) if request.blueprint in each.blueprints)
    return next((each for each in above if each.endpoint != request.endpoint), None)
