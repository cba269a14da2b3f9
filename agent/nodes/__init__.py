"""The nodes of the graph, one file each: a function of state and runtime that returns its delta."""
