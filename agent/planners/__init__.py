"""Planners: what understands requests and writes storyboards."""
