"""Sentences as vectors: all-MiniLM-L6-v2, run without torch."""
