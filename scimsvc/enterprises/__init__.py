"""Enterprises (tenants), their administrators, and the users and settings that SCIM does not manage."""
