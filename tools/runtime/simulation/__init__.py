"""A machine that is not there: virtual time, a device, workers, a lease; the runtime's own code runs on it."""
