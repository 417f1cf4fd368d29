"""SCIM 2.0, with the standard library only: no Flask, no SQLAlchemy, no clock, no mutable globals."""
