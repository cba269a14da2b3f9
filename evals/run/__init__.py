"""Running scenarios: each in a folder and a process of its own, several at once, as often as asked."""
