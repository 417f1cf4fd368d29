"""The limits of queries and names, which apply to commands too. Importing them does not import marshmallow."""

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000
#: The longest wait for the next change, in seconds.
MAX_WAIT = 25
#: The most characters of a name.
MAX_NAME_LENGTH = 200
