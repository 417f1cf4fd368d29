"""Find pages and objects by a few words, for the search of the console.

The work is bounded, because each key that is pressed searches. Users are found by the beginning of their names in an
index, and everything else is in lists that are short. The list of users finds words anywhere in a name, and the log
finds the ID of a request, when they are chosen.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import NamedTuple

from flask import url_for

from scimsvc.auth.clients import list_integrations
from scimsvc.auth.token_reading import list_good_tokens
from scimsvc.console.navigation import ACCOUNT, SERVICE_SECTIONS, sections
from scimsvc.console.pages import HOME_ENDPOINT, admin, enterprise_id
from scimsvc.console.permissions import may_audit
from scimsvc.console.state import console_state
from scimsvc.enterprises.enterprises import list_enterprises
from scimsvc.errors import ServiceError
from scimsvc.protocol.attributes import fold
from scimsvc.reports import lists
from scimsvc.reports.quick_search import find_roles, find_users
from scimsvc.web.state import cursor_keys

#: Results of each kind.
MOST = 6
LONGEST_WORDS = 200
#: Texts that can be the ID of a request.
_REQUEST_ID = re.compile(r"(?=.*\d)[A-Za-z0-9._-]{8,128}")


class Found(NamedTuple):
    """A result: its name, a note beside it, and its address."""

    name: str
    note: str
    url: str


class Kind(NamedTuple):
    """The results of one kind, under its title."""

    title: str
    results: list[Found]


def find(words: str) -> list[Kind]:
    """Return the results for ``words`` that the account may see, by kind. Kinds without a result are left out."""
    wanted = words.replace("\0", "").strip()[:LONGEST_WORDS]
    if console_state().enterprise is None:
        finders = (_KINDS_OF_SERVICE if wanted else _PAGES) if admin().sees_all else _PAGES
    else:
        finders = _KINDS if wanted else _PAGES
    kinds = (Kind(title, list(_first(finder, wanted))) for title, finder in finders)
    return [kind for kind in kinds if kind.results]


def _first(finder: Callable[[str], Iterator[Found]], wanted: str) -> Iterator[Found]:
    """Yield the first results, and none if the search took too long or the words are not valid for it."""
    most = MOST if wanted else 20
    with suppress(ServiceError):
        for number, found in enumerate(finder(wanted)):
            if number == most:
                return
            yield found


def _pages(wanted: str) -> Iterator[Found]:
    service = SERVICE_SECTIONS if admin().sees_all and console_state().enterprise is not None else ()
    for section in (*sections(), *service, ACCOUNT):
        if _matches(wanted, section.name):
            note = "All enterprises" if section in service else ""
            yield Found(section.name, note, url_for(section.endpoint))
    for name, endpoint in _MORE_PAGES:
        is_here = console_state().enterprise is not None or "help" in endpoint
        is_allowed = admin().may_change or may_audit(endpoint, "GET")
        if wanted and is_here and is_allowed and _matches(wanted, name):
            yield Found(name, "", url_for(endpoint))


#: Pages that are not in the navigation.
_MORE_PAGES = (
    ("Create token", "console_tokens.ask"),
    ("All tokens", "console_tokens.list_"),
    ("Create integration", "console_integrations.new"),
    ("Create role", "console_roles.new"),
    ("Create user", "console_users.ask"),
    ("Invite administrator", "console_administrators.ask"),
    ("Allow removals", "console_settings.ask_to_release"),
    ("Help", "console_help.show"),
)


def _users(wanted: str) -> Iterator[Found]:
    """Yield people whose name or address begins with the words, and the way to the search of all people."""
    for user in find_users(enterprise_id(), wanted, limit=MOST - 1):
        note = user.email if user.email != user.user_name else ""
        yield Found(user.user_name, note, url_for("console_users.show", user_id=user.id))
    yield Found(f"Search all users for “{wanted}”", "", url_for("console_users.list_", search=wanted))


def _groups(wanted: str) -> Iterator[Found]:
    page = lists.groups(enterprise_id(), {"search": wanted, "limit": str(MOST)}, cursor_keys())
    for group in page["items"]:
        yield Found(group["name"], "", url_for("console_groups.show", group_id=group["id"]))


def _roles(wanted: str) -> Iterator[Found]:
    for role in find_roles(enterprise_id(), wanted):
        yield Found(role.name, "", url_for("console_roles.edit", role_id=role.id))


def _integrations(wanted: str) -> Iterator[Found]:
    for each in list_integrations(enterprise_id()):
        if _matches(wanted, each["name"]) or each["client_id"].startswith(wanted):
            url = url_for("console_integrations.show_secret", integration_id=each["id"])
            yield Found(each["name"], f"Client ID {each['client_id']}", url)


def _tokens(wanted: str) -> Iterator[Found]:
    for token in list_good_tokens(enterprise_id()):
        if _matches(wanted, token["name"] or "") or token["id"].startswith(fold(wanted)):
            name = token["name"] or f"Token {token['id'][:8]}"
            yield Found(name, f"ID {token['id'][:8]}", url_for("console_tokens.show", token_id=token["id"]))


def _requests(wanted: str) -> Iterator[Found]:
    if _REQUEST_ID.fullmatch(wanted):
        yield Found(wanted, "Look up this request ID", url_for("console_log.list_", request_id=wanted))


def _enterprises(wanted: str) -> Iterator[Found]:
    if not admin().sees_all:
        return
    for each in list_enterprises():
        if _matches(wanted, each["name"]) or each["id"] == wanted:
            here = console_state().enterprise
            note = "This enterprise" if here is not None and each["id"] == here["id"] else ""
            yield Found(each["name"], note, url_for(HOME_ENDPOINT, enterprise_id=each["id"]))


def _matches(wanted: str, *names: str) -> bool:
    """Return whether all words are in one of the names, ignoring case."""
    return any(all(word in fold(name) for word in fold(wanted).split()) for name in names)


_PAGES: tuple[tuple[str, Callable[[str], Iterator[Found]]], ...] = (("Pages", _pages),)
_KINDS = (
    *_PAGES, ("Users", _users), ("Groups", _groups), ("Roles", _roles), ("Tokens", _tokens),
    ("Integrations", _integrations), ("Enterprises", _enterprises), ("Provisioning log", _requests),
)  # fmt: skip
_KINDS_OF_SERVICE = (("Enterprises", _enterprises), *_PAGES)
