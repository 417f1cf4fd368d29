"""Find the repeated people of a file, and match the others with users.

Keys are folded as the service folds them. A key matches only if one person and one user have it.
"""

import sqlite3

#: The keys in the order in which they are tried: the attribute, and the column of both tables.
_KEYS = (("externalId", "external_id"), ("userName", "user_name_key"), ("email", "email_key"))


def note_repeated(connection: sqlite3.Connection) -> None:
    """Add a finding for each line that repeats an earlier one.

    A line with the external ID of an earlier one is not compared. Without an external ID, the userName counts instead,
    and without both the e-mail address. Two people with different external IDs and one e-mail address are compared.
    """
    named = "external_id IS NULL"
    conditions = {
        "externalId": ("external_id", "external_id IS NOT NULL"),
        "userName": ("user_name_key", f"{named} AND user_name_key IS NOT NULL"),
        "email": ("email_key", f"{named} AND user_name_key IS NULL AND email_key IS NOT NULL"),
    }
    for attribute, (column, condition) in conditions.items():
        _note(connection, attribute, column, condition)
        connection.execute(
            "UPDATE person SET is_repeated = 1 WHERE line IN (SELECT line FROM finding WHERE kind = 'duplicate')"
        )
    _note(connection, "email", "email_key", "email_key IS NOT NULL")


def _note(connection: sqlite3.Connection, attribute: str, column: str, condition: str) -> None:
    """Add a finding for each line that is not repeated yet, meets ``condition``, and has the key of an earlier line."""
    connection.execute(
        f"""
        INSERT INTO finding (kind, line, user_name, email, external_id, attribute, directory, detail)
        SELECT 'duplicate', line, user_name, email, external_id, ?, {column}, 'Same as line ' || first FROM (
            SELECT line, user_name, email, external_id, {column}, is_repeated,
            (SELECT min(other.line) FROM person AS other WHERE other.{column} = person.{column}) AS first
            FROM person WHERE {condition}
        ) WHERE first < line AND NOT is_repeated
        """,
        (attribute,),
    )


def match(connection: sqlite3.Connection) -> None:
    """Match people with users, one to one."""
    for attribute, column in _KEYS:
        connection.execute("DELETE FROM pair")
        connection.execute(
            f"""
            INSERT INTO pair (line, user_id) SELECT min(person.line), min(user.id) FROM person
            JOIN user ON user.{column} = person.{column}
            WHERE person.user_id IS NULL AND user.line IS NULL AND NOT person.is_repeated
            GROUP BY person.{column} HAVING count(*) = 1
            """
        )
        connection.execute(
            "UPDATE person SET user_id = (SELECT user_id FROM pair WHERE pair.line = person.line), matched_by = ? "
            "WHERE line IN (SELECT line FROM pair)",
            (attribute,),
        )
        connection.execute(
            "UPDATE user SET line = (SELECT line FROM pair WHERE pair.user_id = user.id) "
            "WHERE id IN (SELECT user_id FROM pair)"
        )
