"""Music, ambience and the mix: the tools and their engines."""
