"""The limits of queries, which apply to commands too."""

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000
#: The longest wait for the next change, in seconds.
MAX_WAIT = 25
