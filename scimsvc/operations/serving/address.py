"""The address that the server listens on by default. Commands read it without importing the server."""

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8000
