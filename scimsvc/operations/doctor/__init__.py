"""Check an installation, and say what to change. It only reads.

A module for each topic yields findings. ``examining`` runs all topics, and those that need the database only if it can
be read. ``loading`` creates an app to examine, even if settings are not valid.
"""
