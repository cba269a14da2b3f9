"""The device that models take turns on: found, leased, planned, accounted for."""
