"""Stable Video Diffusion: a shot set in motion from its still, without words.

    weights           the checkpoint
    draw engine       clip after clip through diffusers' pipeline, decoded a few frames at a time; the engine

Nothing here imports torch before the engine loads.
"""
