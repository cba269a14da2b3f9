"""Tutorials that run: the tests execute each notebook, and `python -m notebooks` renews their outputs."""
