"""Statements that run on the database driver itself, on one connection per thread, behind a fair write lock."""
