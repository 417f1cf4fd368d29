"""SCIM filters: parsed once into nodes, and evaluated in Python (RFC 7644 §3.4.2.2)."""
