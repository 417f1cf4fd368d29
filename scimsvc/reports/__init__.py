"""Reports on users, log and feed: the API's lists, causes of refusals, counts over time, and one user in detail."""
