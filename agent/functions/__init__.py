"""The functions that a chat model, or a program over MCP, may call."""
