"""The memory: documents, and how passages are found in them."""
