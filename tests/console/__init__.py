"""The console: accounts, sessions, pages and forms, and everything together in a real browser."""
