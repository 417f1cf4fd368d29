"""The database of an app: connections, transactions, statements, retries and outages."""
