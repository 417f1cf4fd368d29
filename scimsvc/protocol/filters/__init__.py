"""SCIM filters: parsed once into nodes, evaluated in Python by ``matching`` and in SQL by ``store.compiler``."""
