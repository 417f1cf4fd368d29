"""Roles: from `roles[primary eq "True"]`, the attribute that the provider sends, to a role of the enterprise."""
