"""The draft renderer: scene -> draw list -> passes; its packs are data."""
