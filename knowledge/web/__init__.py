"""The web: one fetcher for everything that is read from it, search, reading, ranking, and summing up with sources."""
