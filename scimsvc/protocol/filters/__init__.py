"""SCIM filters: parsed once into nodes; ``matching`` evaluates them in Python, and ``store.filters`` in SQL."""
