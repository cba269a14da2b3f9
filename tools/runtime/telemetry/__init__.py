"""What a run cost and where the time went: recorded from its events, kept as a trace, counted, drawn."""
