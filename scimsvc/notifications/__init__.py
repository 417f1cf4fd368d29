"""What the service sends by itself: webhooks, alerts and e-mail. No request of a provider depends on this package."""
