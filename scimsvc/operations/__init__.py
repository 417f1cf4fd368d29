"""Run the service: server, readiness, metrics, backup, checks and the move to PostgreSQL."""
