"""Lips that follow speech, in shots whose pictures a model painted."""
