"""Enterprises (tenants) and everything about their users that does not come from SCIM."""
