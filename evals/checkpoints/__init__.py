"""Tiny checkpoints of every family, made from config with fixed seeds, for the loaders a user's weights go through.

Tests and scenarios (`world.weights`) load them by the real loaders. Their weights are random: what they make is noise.
"""
