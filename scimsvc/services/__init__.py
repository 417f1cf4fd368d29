"""Use cases: plain functions, called by web and commands alike, each with its work in one transaction."""
