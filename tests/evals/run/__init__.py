"""Tests of what runs scenarios: commands, MCP clients, processes that are watched."""
