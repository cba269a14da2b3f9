"""Jobs: work that is written down before it is begun, waits its turn, and is taken up again wherever it stopped."""
