"""Set the length of open-ended tests: hostile input, crashes, load and large databases."""

import os

import pytest

#: Whether this is a long run (hours instead of minutes): ``SCIMSVC_TEST_LONG=1``.
LONG = os.environ.get("SCIMSVC_TEST_LONG") == "1"

#: Marks tests of work that is done before or after the database. They run on SQLite, and in a long run also on PostgreSQL.
outside_the_database = pytest.mark.parametrize(
    "database_url", ["sqlite", "postgresql"] if LONG else ["sqlite"], indirect=True
)
