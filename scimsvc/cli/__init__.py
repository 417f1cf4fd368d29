"""The ``scimsvc`` command. Each file is named after the first word of its commands."""
