"""Servers that answer as the services of voices do, strictly, with speech of espeak-ng that can be listened to."""
