"""How thorough the tests are that could go on for ever: hostile input, crashes, storms and large databases."""

import os

#: Whether this is a long run, of hours instead of minutes: ``SCIMSVC_TEST_LONG=1``.
LONG = os.environ.get("SCIMSVC_TEST_LONG") == "1"
