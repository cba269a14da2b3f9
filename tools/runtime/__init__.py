"""The runtime: registry in, artifacts out. See `executor`, `store`, `pool`, `production`."""
