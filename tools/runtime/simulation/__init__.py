"""A machine that is not there: virtual time, a device, workers and a lease on it, for the runtime's own code to run on."""
