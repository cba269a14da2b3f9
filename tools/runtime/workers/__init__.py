"""Processes that engines live in: started, asked, watched, ended."""
