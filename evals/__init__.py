"""How we know that it works: benchmarks and scenarios."""
