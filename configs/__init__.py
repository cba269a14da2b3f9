"""Settings and every YAML, with its schema."""
