"""The limits of queries and names, which apply to commands too. Importing them does not import marshmallow."""

from datetime import timedelta

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000
#: The longest wait for the next change, in seconds.
MAX_WAIT = 25
#: The most characters of a name.
MAX_NAME_LENGTH = 200
#: The spans of time until now that a search of a log can name.
SPANS = {"1h": timedelta(hours=1), "24h": timedelta(hours=24), "7d": timedelta(days=7), "30d": timedelta(days=30)}
