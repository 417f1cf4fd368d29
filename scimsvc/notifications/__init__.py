"""Webhooks, alerts and e-mail. No request of a provider depends on this package."""
