"""SCIM 2.0 itself: standard library only, no Flask, no SQLAlchemy, no clock, no globals that change."""
