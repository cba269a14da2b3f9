"""Voices: the tool and its engines."""
