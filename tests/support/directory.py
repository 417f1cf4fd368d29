"""A directory of any size and an enterprise that differs from it in known ways."""

import csv
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import insert

from scimsvc.extensions import db
from scimsvc.models import User, UserConfirmation
from scimsvc.store.engine.database import without_deadline
from scimsvc.store.engine.transactions import writing
from tests.support.apps import run_command
from tests.support.client import Enterprise
from tests.support.urns import USER_URN

AT = "2026-01-01T00:00:00.000Z"
CONFIRMED_AT = "2026-11-01T00:00:00.000Z"
#: One of this many people has each of the cases.
EVERY = 100
CASES = (
    *("missing", "gone", "gone disabled", "state", "name", "address", "role", "twice", "manual", "disabled missing"),
    *("upper case", "unconfirmed", "by name", "by address"),
)
HEADER = ("userPrincipalName", "displayName", "surname", "mail", "givenName", "id", "accountEnabled", "role")
_BATCH = 10_000


class Difference(NamedTuple):
    """A finding, as a test expects it."""

    finding: str
    email: str
    attribute: str | None = None
    directory: str | None = None
    here: str | None = None


def case_of(number: int) -> str:
    """Return how the person with this number differs, or ""."""
    position = number % EVERY
    return CASES[position] if position < len(CASES) else ""


def address(number: int) -> str:
    """Return the address of a person."""
    return f"person{number}@x.example"


def external_id(number: int) -> str:
    """Return the object ID of a person."""
    return f"{number:08x}-aaaa-4000-8000-000000000000"


def write_export(path: Path, people: int) -> None:
    """Write the directory as Entra does."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for number in range(people):
            case = case_of(number)
            if case not in ("gone", "gone disabled"):
                mail = address(number).upper() if case == "upper case" else address(number)
                enabled = str(case != "disabled missing")
                row = (address(number), f"P {number}", f"Family {number}", mail, "Given", external_id(number), enabled)
                writer.writerow((*row, "powersigner"))
                if case == "twice":
                    writer.writerow((*row, "powersigner"))


def expected_differences(people: int, *, unconfirmed: bool = True) -> set[Difference]:
    """Return the differences that exist and no other ones."""
    return {each for number in range(people) for each in _expected(number) if unconfirmed or "confirm" not in each[0]}


def _expected(number: int) -> Iterator[Difference]:
    email, case = address(number), case_of(number)
    if case == "missing":
        yield Difference("missing", email)
    elif case == "gone":
        yield Difference("not_in_directory", email)
    elif case == "state":
        yield Difference("state_differs", email, "active", "active", "disabled")
    elif case == "name":
        yield Difference("name_differs", email, "givenName", "Given", "Other")
        yield Difference("name_differs", email, "familyName", f"Family {number}", "")
    elif case == "address":
        yield Difference("address_differs", f"old.{email}", "email", email, f"old.{email}")
    elif case == "role":
        yield Difference("role_differs", email, "role", "powersigner", "DefaultEnterprise")
    elif case == "twice":
        yield Difference("duplicate", email, "externalId", external_id(number))
    elif case == "manual":
        yield Difference("manual", email)
    elif case == "unconfirmed":
        yield Difference("not_confirmed", email, "confirmed_at")


def store_enterprise(enterprise: Enterprise, people: int) -> None:
    """Store the users of the enterprise in bulk."""
    roles = {role["name"]: role["id"] for role in run_command(enterprise.app, "role", "list", enterprise.name)}
    rows = _rows(enterprise.made["id"], roles["Power Signer"], people)
    with enterprise.app.app_context(), without_deadline():
        while batch := list(islice(rows, _BATCH)):
            with writing() as connection:
                connection.execute(insert(User), batch)
                confirmed = [
                    {"enterprise_id": row["enterprise_id"], "user_id": row["id"], "confirmed_at": CONFIRMED_AT}
                    for row in batch
                    if case_of(int(row["id"][:8], 16)) != "unconfirmed"
                ]
                connection.execute(insert(UserConfirmation), confirmed)
    with enterprise.app.app_context():
        db.engine.dispose()


def _rows(enterprise_id: str, role_id: str, people: int) -> Iterator[dict[str, Any]]:
    for number in range(people):
        case = case_of(number)
        if case in ("missing", "disabled missing"):
            continue
        user_id = f"{number:08x}-0000-4000-8000-000000000000"
        email = f"old.{address(number)}" if case == "address" else address(number)
        user_name = "By Address" if case == "by address" else address(number)
        names = {"givenName": "Other"} if case == "name" else {"givenName": "Given", "familyName": f"Family {number}"}
        known_by_id = case not in ("by name", "by address")
        active = case not in ("state", "gone disabled")
        document = {
            "schemas": [USER_URN],
            "id": user_id,
            "userName": user_name,
            "name": names,
            "active": active,
            "emails": [{"value": email, "type": "work", "primary": True}],
        }
        yield {
            "enterprise_id": enterprise_id,
            "id": user_id,
            "email_key": email,
            "has_other_emails": False,
            "user_name_key": user_name.casefold(),
            "unique_user_name_key": None,
            "external_id": external_id(number) if known_by_id else None,
            "active": active,
            "role_id": None if case == "role" else role_id,
            "group_role_id": None,
            "source": "manual" if case == "manual" else "provisioned",
            "version": 1,
            "created_at": AT,
            "modified_at": AT,
            "revision": 1,
            "changed_at": AT,
            "title": None,
            "organization": None,
            "document": json.dumps(document),
            "search": {},
        }
