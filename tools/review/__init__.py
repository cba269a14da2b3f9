"""The judge's measurements: checks, scores, fixes."""
