"""Running the service: the server, readiness, metrics, backup, checks and the move to PostgreSQL."""
