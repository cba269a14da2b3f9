"""Measured figures, each beside a comparison of the same run."""
