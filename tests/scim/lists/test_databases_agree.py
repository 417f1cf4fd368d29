"""SQLite and PostgreSQL find and sort the same users and groups, also by names that their own rules treat differently.

The questions are random, and the same in each run. A long run asks twenty times as many.
"""

import json
import random
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from scimsvc import clock, create_app
from tests.support.apps import SECRET_KEY, dispose
from tests.support.client import Enterprise
from tests.support.databases import StoredAcme, sqlite_url
from tests.support.long_runs import LONG
from tests.support.urns import ENTERPRISE_URN, GROUP_URN

QUESTIONS = 2000 if LONG else 100

#: Letters whose case or order depends on rules, characters beyond the basic plane, wildcards, and long texts.
TEXTS = [
    *("İ", "ı", "i\u0307", "I", "İstanbul", "ısparta", "ß", "ẞ", "ss", "SS", "Straße", "STRASSE", "ﬁ", "fi", "ﬁx", "FIX"),
    *("ǆ", "ǅ", "Ǆ", "ς", "σ", "Σ", "Οδυσσεύς", "ΟΔΥΣΣΕΎΣ", "\N{KELVIN SIGN}", "k", "ſ", "ŉ", "µ", "μ", "\u0345", "ᾳ"),
    *("é", "e\u0301", "É", "ÿ", "Ÿ", "Ꭰ", "ꭰ", "Ա", "א", "ا", "한", "中", "😀", "👨\u200d👩\u200d👧", "\u00ad", "\u200d"),
    *("\ue000", "\U0010fffd", "\ufffd", "\uffff", "a\tb", "a\nb", "a b", " a", "a ", "%", "_", "a%", "a_", "\\", "\\%"),
    *("100%", "100_", "1000", '"', "'", "''", "''; --", "*", "?", "[a]", "Z", "z", "0", "a" * 300, "ß" * 300, "a" * 299 + "b"),
]  # fmt: skip
NAMES = ["userName", "displayName", "title", "nickName", "name.familyName", "externalId", "department", "emails.value"]
OPERATORS = ["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"]
ORDERS = [*NAMES, "emails.type", "active", "meta.lastModified", "id", "roles.value", "name.givenName", "phoneNumbers"]
GROUP_NAMES = ["displayName", "externalId", "members.display"]
GROUP_ORDERS = [*GROUP_NAMES, "members", "meta.lastModified", "id"]


def awkward_user(number: int, chance: random.Random) -> dict[str, Any]:
    """Return a user whose userName is a text by number and whose other names are random texts, or absent."""

    def text() -> str | None:
        return chance.choice([*TEXTS, None])

    return {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE_URN],
        "userName": TEXTS[number],
        "displayName": text(),
        "title": text(),
        "nickName": text(),
        "externalId": text(),
        "name": {"familyName": text(), "givenName": text()},
        "emails": [
            {"type": "work", "value": f"{chance.choice('aAzßİſé')}{number}@x.example", "primary": True},
            {"type": chance.choice(["home", "HOME", "other"]), "value": f"{number}@home.example"},
        ],
        "phoneNumbers": [{"type": chance.choice(["work", "mobile"]), "value": text()}],
        "active": chance.choice([True, False]),
        "roles": [{"value": chance.choice(["User", "USER", "Power Signer", "PowerSigner"]), "primary": True}],
        ENTERPRISE_URN: {"department": text(), "manager": {"value": text()}},
    }


def awkward_group(number: int, users: list[str], chance: random.Random) -> dict[str, Any]:
    """Return a group whose name is a text by number, with random members."""
    members = [{"value": user} for user in chance.sample(users, chance.randrange(6))]
    external_id = chance.choice([*TEXTS, None])
    return {"schemas": [GROUP_URN], "displayName": TEXTS[number], "externalId": external_id, "members": members}


def comparison(names: list[str], chance: random.Random) -> str:
    """Return a comparison of an attribute with a text, a part of one, or null."""
    name = chance.choice(names)
    if chance.random() < 0.1:
        return f"{name} pr"
    if chance.random() < 0.05:
        return f"{name} {chance.choice(['eq', 'ne'])} null"
    text = chance.choice(TEXTS)
    cut = text[chance.randrange(len(text)) :][: chance.randint(1, 300)]
    value = chance.choice([text, cut, text.upper(), text.lower(), text.casefold(), text.swapcase(), ""])
    return f"{name} {chance.choice(OPERATORS)} {json.dumps(value, ensure_ascii=chance.random() < 0.5)}"


def a_filter(names: list[str], chance: random.Random, depth: int = 0) -> str:
    """Return a comparison, or up to four of them, with negations and value paths."""
    kind = chance.randrange(8) if depth < 2 else 0
    if kind < 4:
        return comparison(names, chance)
    if kind == 4:
        return f"not ({a_filter(names, chance, depth + 1)})"
    if kind == 5 and names is NAMES:
        inner = f'type {chance.choice(["eq", "ne", "sw"])} "{chance.choice(["work", "home", "HOME", "o"])}"'
        return f'emails[{inner} and value {chance.choice(OPERATORS)} "{chance.choice("aAzßİſé1")}"]'
    one, other = (a_filter(names, chance, depth + 1) for _ in range(2))
    return f"({one}) {chance.choice(['and', 'or'])} ({other})"


def question(chance: random.Random) -> tuple[str, dict[str, str]]:
    """Return the path and the query of a list: a filter, an order, or both."""
    path, names, orders = chance.choice([("/Users", NAMES, ORDERS)] * 4 + [("/Groups", GROUP_NAMES, GROUP_ORDERS)])
    query = {"attributes": names[0], "count": str(chance.choice([7, 100]))}
    if chance.random() < 0.8:
        query["filter"] = a_filter(names, chance)
    if chance.random() < 0.8:
        query |= {"sortBy": chance.choice(orders), "sortOrder": chance.choice(["ascending", "descending"])}
    if chance.random() < 0.5:
        query["cursor"] = ""
    return path, query


def pages(acme: Enterprise, path: str, query: dict[str, str]) -> Iterator[TestResponse]:
    """Yield the answers for a query and, if there is a cursor, for the pages after it."""
    while True:
        answer = acme.send("GET", path, query=query)
        yield answer
        following = answer.get_json(force=True).get("nextCursor")
        if following is None:
            return
        query = query | {"cursor": following}


def answers(acme: Enterprise, path: str, query: dict[str, str]) -> list[Any]:
    """Return what the pages show: their status and the IDs and names, or the error."""
    shown: list[Any] = []
    for answer in pages(acme, path, query):
        body = answer.get_json(force=True)
        found = [(each["id"], each.get("userName", each.get("displayName"))) for each in body.get("Resources", [])]
        shown.append((answer.status_code, body.get("totalResults"), found, body.get("detail")))
    return shown


def create_all(acme: Enterprise, monkeypatch: pytest.MonkeyPatch) -> None:
    """Create the same users and groups, with the same IDs and times, of which some are equal."""
    users: list[str] = []
    chance, ids = random.Random(1), random.Random(2)
    monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID(int=ids.getrandbits(128), version=4))
    for number in range(len(TEXTS)):
        now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(milliseconds=chance.randrange(40))
        monkeypatch.setattr(clock, "now", lambda now=now: now)
        answer = acme.send("POST", "/Users", awkward_user(number, chance))
        assert answer.status_code == 201, answer.text
        users.append(answer.get_json()["id"])
    for number in range(0, len(TEXTS), 2):
        answer = acme.send("POST", "/Groups", awkward_group(number, users, chance))
        assert answer.status_code in (201, 409), answer.text  # some names are equal


@pytest.fixture
def both(
    sqlite_file: Path, empty_postgresql_url: str, stored_acme: StoredAcme, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[Enterprise]]:
    """The same enterprise with the same users and groups on SQLite and on PostgreSQL."""
    apps = [
        create_app({"DATABASE_URL": url, "SECRET_KEY": SECRET_KEY})
        for url in (sqlite_url(sqlite_file), empty_postgresql_url)
    ]
    enterprises = [Enterprise(app, stored_acme.result, stored_acme.token) for app in apps]
    for acme in enterprises:
        stored_acme.rows.copy_to(acme.app.config["SQLALCHEMY_DATABASE_URI"])
        create_all(acme, monkeypatch)
    yield enterprises
    for app in apps:
        dispose(app)


def test_both_databases_answer_random_questions_alike(both: list[Enterprise]) -> None:
    chance = random.Random(3)
    sizes = set()

    for _ in range(QUESTIONS):
        path, query = question(chance)
        sqlite, postgresql = (answers(acme, path, query) for acme in both)
        assert sqlite == postgresql, (path, query)
        sizes.add(sum(len(found) for _, _, found, _ in sqlite))

    assert {0, 1, len(TEXTS)} <= sizes
