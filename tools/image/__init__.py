"""Pictures: the tool and its engines."""
