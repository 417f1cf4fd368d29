"""Directory and effective values of title and organization (contract section 6), one combination in each line."""

from typing import Any

import pytest

from scimsvc.enterprises import manual_users
from scimsvc.errors import NotAllowed
from tests.support.client import Enterprise, replace
from tests.support.records import changes_of, edit_profile, feed_of, profile_of
from tests.support.types import Cli
from tests.support.urns import ENTERPRISE_URN

ABSENT, CHANGED, REPEATED, EQUAL, EMPTY, NULL = "absent", "changed", "repeated", "equal", "empty", "null"

# The effective value at the end. A provisioned user starts with "Directory" and edits it to "Own" when the role permits
# this. A manual user is created with "Own". Then the directory omits the value or sends "New", "Directory", "Own", ""
# or null. The user's role changes never, before this write, or after it.
#
# role          | change | user          | absent       | changed | repeated    | equal | empty        | null
TABLE = """
free            | never  | provisioned   | Own          | New     | Own         | Own   | Own          | Own
free            | before | provisioned   | Own          | New     | Own         | Own   | Own          | Own
free            | after  | provisioned   | Directory    | New     | Directory   | Own   | Directory    | Directory
restricting     | never  | provisioned   | Directory    | New     | Directory   | Own   | Directory    | Directory
restricting     | before | provisioned   | Directory    | New     | Directory   | Own   | Directory    | Directory
restricting     | after  | provisioned   | Directory    | New     | Directory   | Own   | Own          | Own
free            | never  | manual        | Own          | New     | -           | Own   | Own          | Own
free            | before | manual        | Own          | New     | -           | Own   | Own          | Own
free            | after  | manual        | Own          | New     | -           | Own   | Own          | Own
restricting     | never  | manual        | Own          | New     | -           | Own   | Own          | Own
restricting     | before | manual        | Own          | New     | -           | Own   | Own          | Own
restricting     | after  | manual        | Own          | New     | -           | Own   | Own          | Own
"""
SENT: dict[str, str | None] = {CHANGED: "New", REPEATED: "Directory", EQUAL: "Own", EMPTY: "", NULL: None}
COLUMNS = (ABSENT, CHANGED, REPEATED, EQUAL, EMPTY, NULL)
ROWS = [[cell.strip() for cell in line.split("|")] for line in TABLE.strip().splitlines()]
LINES = [
    ((role, change, source, sent), expected)
    for role, change, source, *cells in ROWS
    for sent, expected in zip(COLUMNS, cells, strict=True)
    if expected != "-"
]
ROLES = ("Free A", "Free B", "Restricting A", "Restricting B")


@pytest.fixture
def roles(acme: Enterprise, cli: Cli) -> None:
    for name in ROLES:
        cli("role", "add", "Acme", name, *(["--restrict-editing"] if "Restricting" in name else []))


def live(acme: Enterprise, number: int, role: str, change: str, source: str, sent: str) -> dict[str, Any]:
    """Create and change a user as a line of the table says, and return the user's profile at the end."""
    free, restricting = ("Free", "Restricting") if role == "free" else ("Restricting", "Free")
    first, last = (f"{free} A", f"{free} A") if change == "never" else (f"{restricting} A", f"{free} B")
    email = f"user{number}@contoso.example"
    made = {"title": "Directory", ENTERPRISE_URN: {"organization": "Directory"}, "roles": [{"value": first}]}
    if source == "provisioned":
        user = acme.create(email=email, **made)
        edit_if_allowed(acme, user, first)
    else:
        user = create_manual(acme, email, first)
    if change == "before":
        change_role(acme, user, source, last)
        if source == "provisioned":
            edit_if_allowed(acme, user, last)
    send_from_directory(acme, user, sent)
    if change == "after":
        assert acme.patch(user, replace("roles", [{"value": last}])).status_code == 200
    return profile_of(acme, user["id"])


def create_manual(acme: Enterprise, email: str, role: str) -> dict[str, Any]:
    given = {"email": email, "user_name": "By Hand", "title": "Own", "organization": "Own", "role": role}
    with acme.app.app_context():
        return manual_users.create_manual_user("Acme", given)


def change_role(acme: Enterprise, user: dict[str, Any], source: str, role: str) -> None:
    if source == "provisioned":
        assert acme.patch(user, replace("roles", [{"value": role}])).status_code == 200
        return
    with acme.app.app_context():
        manual_users.update_manual_user("Acme", user["id"], {"role": role})


def edit_if_allowed(acme: Enterprise, user: dict[str, Any], role: str) -> None:
    if "Restricting" in role:
        with pytest.raises(NotAllowed, match="restricts editing"):
            edit_profile(acme, user["id"], title="Own", organization="Own")
    else:
        edit_profile(acme, user["id"], title="Own", organization="Own")


def send_from_directory(acme: Enterprise, user: dict[str, Any], sent: str) -> None:
    paths = ("displayName",) if sent == ABSENT else ("title", f"{ENTERPRISE_URN}:organization")
    value = "Another" if sent == ABSENT else SENT[sent]
    answer = acme.patch(user, *(replace(path, value) for path in paths))
    assert answer.status_code == 200, answer.text
    if sent != ABSENT:
        assert answer.get_json().get("title") == (value or None)  # SCIM shows the directory's, cleared too


@pytest.mark.usefixtures("roles")
def test_every_combination_ends_as_the_table_says(acme: Enterprise) -> None:
    seen = {line: live(acme, number, *line) for number, (line, _) in enumerate(LINES)}

    assert {line: user["title"] for line, user in seen.items()} == dict(LINES)
    assert {line: user["organization"] for line, user in seen.items()} == dict(LINES)
    assert len(LINES) == 66
    assert {user["source"] for user in seen.values()} == {"provisioned"}


@pytest.mark.usefixtures("roles")
def test_an_own_edit_leaves_scim_as_it_is_and_is_a_change_of_the_feed(acme: Enterprise) -> None:
    user = acme.create(title="Directory", roles=["Free A"])
    before = profile_of(acme, user["id"])

    edited = edit_profile(acme, user["id"], title="Own")
    again = edit_profile(acme, user["id"], title="Own")

    assert acme.get(user) == user
    assert (edited["title"], edited["directory"]) == ("Own", {"title": "Directory", "organization": None})
    assert (edited["version"], again) == (before["version"] + 1, edited)
    assert [(each["type"], each["changed"]) for each in changes_of(acme, user["id"])][1:] == [("updated", ["title"])]


@pytest.mark.usefixtures("roles")
def test_a_role_that_begins_to_restrict_gives_its_users_the_directorys_values(acme: Enterprise, cli: Cli) -> None:
    user, other = acme.create(title="Directory", roles=["Free A"]), acme.create(email="b@x.example", roles=["Free A"])
    manual = create_manual(acme, "by.hand@x.example", "Free A")
    for each in (user, other):
        edit_profile(acme, each["id"], title="Own")
    after = feed_of(acme)["next"]

    cli("role", "update", "Acme", "Free A", "--restrict-editing")

    assert [profile_of(acme, each["id"])["title"] for each in (user, other, manual)] == ["Directory", "Own", "Own"]
    seen = [(each["user_id"], each["changed"]) for each in feed_of(acme, after)["items"]]
    assert seen == [(user["id"], ["title"])]


@pytest.mark.usefixtures("roles")
def test_another_default_role_changes_all_users_on_it(acme: Enterprise, cli: Cli) -> None:
    on_default, holder = acme.create(title="Directory"), acme.create(email="b@x.example", roles=["User"])
    edit_profile(acme, on_default["id"], title="Own")
    after = feed_of(acme)["next"]

    cli("enterprise", "update", "Acme", "--default-role", "Restricting A")
    cli("role", "update", "Acme", "Restricting A", "--rename", "Renamed")
    cli("role", "update", "Acme", "User", "--rename", "Member")

    assert profile_of(acme, on_default["id"])["title"] == "Directory"
    assert acme.get(on_default)["roles"] == [{"value": "Renamed", "primary": True}]
    seen = [
        (each["user_id"], each["changed"], each["old_role"], each["role"]) for each in feed_of(acme, after)["items"]
    ]
    assert seen == [
        (on_default["id"], ["title", "roles"], "DefaultEnterprise", "Restricting A"),
        (on_default["id"], ["roles"], "Restricting A", "Renamed"),
        (holder["id"], ["roles"], "User", "Member"),
    ]
