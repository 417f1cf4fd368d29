"""Reports on what is recorded: lists for API and console, causes of refusals, counts, a user's history."""
