"""The provisioning log and the change feed: writing, reading and pruning them."""
