"""The ``scimsvc`` command: each file is named after a command's first word."""
