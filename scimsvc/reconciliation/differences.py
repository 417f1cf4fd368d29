"""Write down the differences between the people of the directory and the users whom they are matched with."""

import sqlite3
from collections.abc import Iterator, Sequence

MISSING, GONE, STATE, NAME = "missing", "not_in_directory", "state_differs", "name_differs"
ADDRESS, ROLE, UNCONFIRMED = "address_differs", "role_differs", "not_confirmed"
DUPLICATE, INVALID, MANUAL_USER = "duplicate", "invalid_line", "manual"
#: All kinds of findings, in the order in which they are reported.
KINDS = (MISSING, GONE, STATE, NAME, ADDRESS, ROLE, UNCONFIRMED, DUPLICATE, INVALID, MANUAL_USER)
#: The kinds that do not count as differences.
REMARKS = (MANUAL_USER,)
_NAMES = {"givenName": "given_name", "familyName": "family_name"}
_OF_PERSON = "person.line, NULL, person.user_name, person.email, person.external_id"
_OF_USER = "user.line, user.id, user.user_name, user.email, user.external_id"
_PAIRS = "FROM user JOIN person ON person.line = user.line WHERE user.source = 'provisioned'"
_INSERT = (
    "INSERT INTO finding (kind, line, user_id, user_name, email, external_id, attribute, directory, here, detail) "
)


def note_differences(connection: sqlite3.Connection, confirmed_since: str | None) -> list[str]:
    """Add a finding for each difference. Return the attributes that were compared.

    Users whom the directory did not confirm since ``confirmed_since`` are findings only if it is not None.
    """
    compared = list(_compared(connection))
    connection.execute(
        f"{_INSERT} SELECT '{MISSING}', {_OF_PERSON}, NULL, NULL, NULL, NULL FROM person "
        "WHERE user_id IS NULL AND NOT is_repeated AND NOT is_invalid AND active IS NOT 0 ORDER BY line"
    )
    connection.execute(
        f"{_INSERT} SELECT '{GONE}', {_OF_USER}, NULL, NULL, NULL, NULL FROM user "
        "WHERE line IS NULL AND source = 'provisioned' AND active ORDER BY user_name_key, id"
    )
    _note_pairs(connection, STATE, "active", *(f"CASE {side}.active WHEN 1 THEN 'active' WHEN 0 THEN 'disabled' END"
                                               for side in ("person", "user")))  # fmt: skip
    for attribute in compared:
        if attribute in _NAMES:
            column = _NAMES[attribute]
            _note_pairs(connection, NAME, attribute, f"person.{column}", f"coalesce(user.{column}, '')")
        elif attribute == "displayName":
            _note_pairs(connection, NAME, attribute, "person.display_name", "coalesce(user.display_name, '')")
    different = "AND person.email_key <> user.email_key"
    _note_pairs(connection, ADDRESS, "email", "person.email", "user.email", different)
    different = "AND coalesce(person.role, '') <> user.role"
    _note_pairs(connection, ROLE, "role", "person.sent_role", "user.role", different)
    if confirmed_since is not None:
        _note_unconfirmed(connection, confirmed_since)
    connection.execute(
        f"{_INSERT} SELECT '{MANUAL_USER}', {_OF_USER}, NULL, NULL, NULL, "
        "CASE WHEN line IS NULL THEN 'Not in the file' ELSE 'In the file' END "
        "FROM user WHERE source <> 'provisioned' ORDER BY user_name_key, id"
    )
    return compared


def _compared(connection: sqlite3.Connection) -> Iterator[str]:
    """Yield the attributes that both sides have.

    An attribute that no user has is not provisioned, so that it differs for everyone. ``displayName`` is compared if
    neither given nor family names can be.
    """
    yield from ("active",) if _has(connection, "person", "active") else ()
    names = [name for name, column in _NAMES.items() if _both_have(connection, column)]
    yield from names or (("displayName",) if _both_have(connection, "display_name") else ())
    for name, column in (("email", "email_key"), ("role", "sent_role")):
        yield from (name,) if _has(connection, "person", column) else ()


def _both_have(connection: sqlite3.Connection, column: str) -> bool:
    return _has(connection, "person", column) and _has(connection, "user", column)


def _has(connection: sqlite3.Connection, table: str, column: str) -> bool:
    statement = f"SELECT EXISTS (SELECT 1 FROM {table} WHERE {column} IS NOT NULL AND {column} <> '')"
    return bool(connection.execute(statement).fetchone()[0])


def _note_pairs(
    connection: sqlite3.Connection, kind: str, attribute: str, directory: str, here: str, different: str | None = None
) -> None:
    """Add a finding for each matched person whose value is different. A value of NULL is not compared."""
    if different is None:
        different = f"AND {directory} <> {here}"
    connection.execute(
        f"{_INSERT} SELECT ?, {_OF_USER}, ?, {directory}, {here}, 'Matched by ' || person.matched_by {_PAIRS} "
        f"AND {directory} IS NOT NULL {different} ORDER BY user.user_name_key, user.id",
        (kind, attribute),
    )


def _note_unconfirmed(connection: sqlite3.Connection, since: str) -> None:
    connection.execute(
        f"{_INSERT} SELECT ?, {_OF_USER}, 'confirmed_at', NULL, user.confirmed_at, NULL {_PAIRS} "
        "AND user.active AND (user.confirmed_at IS NULL OR user.confirmed_at < ?) ORDER BY user.user_name_key, user.id",
        (UNCONFIRMED, since),
    )


def count_unconfirmed(connection: sqlite3.Connection) -> int:
    """Return the number of active provisioned users whom the directory never confirmed."""
    statement = "SELECT count(*) FROM user WHERE source = 'provisioned' AND active AND confirmed_at IS NULL"
    return int(connection.execute(statement).fetchone()[0])


def note_invalid(connection: sqlite3.Connection, problems: Sequence[tuple[int, str]]) -> None:
    """Add a finding for each invalid line of the file."""
    connection.executemany(f"INSERT INTO finding (kind, line, detail) VALUES ('{INVALID}', ?, ?)", problems)
