"""What is kept on disk: results under the hash of what made them, productions, locks."""
