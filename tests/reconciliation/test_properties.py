"""The statements agree with a plain search in lists, and no file ends in anything but a result or a refusal."""

import io
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from scimsvc.errors import InvalidInput
from scimsvc.reconciliation.differences import note_differences
from scimsvc.reconciliation.matching import match, note_repeated
from scimsvc.reconciliation.reading import read_export
from scimsvc.reconciliation.workspace import create_indexes, workspace

KEYS = ("external_id", "user_name", "email")


class Side(NamedTuple):
    """A person or a user, whose keys are already folded."""

    external_id: str | None
    user_name: str | None
    email: str | None
    active: bool | None
    given_name: str | None
    role: str | None
    source: str = "provisioned"


keys = st.sampled_from(["a", "b", "c"])
people = st.builds(
    Side,
    st.none() | keys,
    st.none() | keys,
    st.none() | keys,
    st.none() | st.booleans(),
    st.sampled_from([None, "", "Ann", "Bob"]),
    st.sampled_from([None, "User", "unknown"]),
).filter(lambda person: any(person[:3]))
users = st.builds(
    Side,
    st.none() | keys,
    keys,
    keys,
    st.booleans(),
    st.sampled_from([None, "Ann"]),
    st.sampled_from(["User", "Boss"]),
    st.sampled_from(["provisioned", "provisioned", "manual"]),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(people, max_size=6), st.lists(users, max_size=6))
def test_the_findings_are_those_of_a_plain_search(file: list[Side], here: list[Side]) -> None:
    with workspace() as connection:
        connection.executemany(
            f"INSERT INTO person VALUES ({','.join('?' * 12)}, 0, 0, NULL, NULL)",
            [_person_row(line, person) for line, person in enumerate(file)],
        )
        connection.executemany(
            f"INSERT INTO user VALUES ({','.join('?' * 13)}, NULL)",
            [_user_row(number, user) for number, user in enumerate(here)],
        )
        create_indexes(connection)
        note_repeated(connection)
        match(connection)
        note_differences(connection, None)
        found = Counter(connection.execute("SELECT kind, line, user_id, attribute FROM finding").fetchall())

    assert found == Counter(_search(file, here))


def _person_row(line: int, person: Side) -> tuple[Any, ...]:
    known = person.role if person.role == "User" else None
    return (
        *(line, person.external_id, person.user_name, person.email, person.user_name, person.email, person.active),
        *(person.given_name, None, None, known, person.role),
    )


def _user_row(number: int, user: Side) -> tuple[Any, ...]:
    return (
        *(str(number), user.external_id, user.user_name, user.email, user.user_name, user.email, user.active),
        *(user.given_name, None, None, user.role, user.source, None),
    )


def _search(file: Sequence[Side], here: Sequence[Side]) -> Iterator[tuple[Any, ...]]:
    repeated = set()
    for line, person in enumerate(file):
        attribute, excluded = _repeats(person, file[:line])
        if attribute is not None:
            yield "duplicate", line, None, attribute
        if excluded:
            repeated.add(line)
    pairs: dict[int, int] = {}
    for key in range(len(KEYS)):
        lines = [line for line in range(len(file)) if line not in repeated and line not in pairs]
        free = [number for number in range(len(here)) if number not in pairs.values()]
        for value in {file[line][key] for line in lines} - {None}:
            ones, others = [n for n in lines if file[n][key] == value], [n for n in free if here[n][key] == value]
            if len(ones) == len(others) == 1:
                pairs[ones[0]] = others[0]
    compares_names = any(each.given_name for each in file) and any(each.given_name for each in here)
    for line, person in enumerate(file):
        if line in pairs:
            yield from _differences(line, person, str(pairs[line]), here[pairs[line]], compares_names=compares_names)
        elif line not in repeated and person.active is not False:
            yield "missing", line, None, None
    lines_of = {number: line for line, number in pairs.items()}
    for number, user in enumerate(here):
        if user.source == "manual":
            yield "manual", lines_of.get(number), str(number), None
        elif number not in lines_of and user.active:
            yield "not_in_directory", None, str(number), None


def _repeats(person: Side, earlier: Sequence[Side]) -> tuple[str | None, bool]:
    """Return the attribute that an earlier line has too, and whether the line is left out."""
    names = ("externalId", "userName", "email")
    first = next(key for key in range(len(KEYS)) if person[key] is not None)
    if any(each[first] == person[first] for each in earlier):
        return names[first], True
    same_email = person.email is not None and any(each.email == person.email for each in earlier)
    return ("email", False) if same_email else (None, False)


def _differences(
    line: int, person: Side, user_id: str, user: Side, *, compares_names: bool
) -> Iterator[tuple[Any, ...]]:
    if user.source == "manual":
        return
    if person.active is not None and person.active != user.active:
        yield "state_differs", line, user_id, "active"
    if compares_names and person.given_name is not None and person.given_name != (user.given_name or ""):
        yield "name_differs", line, user_id, "givenName"
    if person.email is not None and person.email != user.email:
        yield "address_differs", line, user_id, "email"
    if person.role is not None and person.role != user.role:
        yield "role_differs", line, user_id, "role"


HEADERS = (
    b"userName,email,status\n",
    b"\xef\xbb\xbflogin;mail\r",
    b'{"value":[{"userName":"a"},',
    b"[",
    b'{"userName":"a"}\n',
)
fragments = st.lists(
    st.sampled_from(
        [b"ann", b",", b";", b'"', b"\n", b"\r\n", b"\0", b"\xff", b"{", b"}", b"[", b"]", b'"id":"1"', b":", b"'="]
    )
    | st.binary(max_size=6),
    max_size=30,
).map(b"".join)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(HEADERS) | st.just(b""), fragments, st.sampled_from(["utf-8", "utf-16", "utf-16-le"]))
def test_no_file_ends_in_an_error(header: bytes, rest: bytes, encoding: str) -> None:
    content = (header + rest).decode("latin-1").encode(encoding) if encoding != "utf-8" else header + rest

    try:
        people = list(read_export(io.BytesIO(content), {}).people)
    except InvalidInput:
        return

    assert all(person.problem or person.external_id or person.user_name or person.email for person in people)
