"""How the studio thinks about a request before it works: strategies, the rules that choose one, and their policy."""
