"""What is expected of a scenario, and the functions that hold it against what was seen."""
