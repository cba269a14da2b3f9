"""A still set in motion without a model: what is near moves before what is far, and people breathe."""
