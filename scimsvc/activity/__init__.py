"""Recording: the provisioning log and the change feed, and their pruning."""
