"""The hands: typed tools, one folder a capability, one file an engine."""
