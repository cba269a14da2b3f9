"""Tiny checkpoints of every family, made from config with fixed seeds, for the loaders a user's weights go through."""
