"""Which model is on the GPU when: the order of calls with the least switching. Pure arithmetic: no clock, no disk."""
