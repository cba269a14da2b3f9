"""Media files from anywhere are decoded in a process of its own: bounded in time and memory, and lost alone."""
