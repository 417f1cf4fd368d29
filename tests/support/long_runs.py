"""Set the length of open-ended tests: hostile input, crashes, load and large databases."""

import os

#: Whether this is a long run (hours instead of minutes): ``SCIMSVC_TEST_LONG=1``.
LONG = os.environ.get("SCIMSVC_TEST_LONG") == "1"
