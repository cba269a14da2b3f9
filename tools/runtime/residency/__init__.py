"""What is on the device and what takes its place: the ledger of bytes, slabs of weights, servers as residents."""
