"""What happened: the provisioning log and the change feed. Writes add to them, readers follow them, old rows go."""
