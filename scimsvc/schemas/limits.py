"""The limits of queries, which commands have as well."""

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000
#: Seconds that a reader of the change feed may wait at most.
MAX_WAIT = 25
