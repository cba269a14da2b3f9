"""The report of a run: one HTML file with pictures, traces and what differed."""
