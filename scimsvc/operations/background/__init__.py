"""The background worker: jobs that run by time and not by requests, and the lease that gives them to one process."""
