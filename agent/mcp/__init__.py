"""The Model Context Protocol, both ways: the studio as a server, and tools of other servers for the studio."""
