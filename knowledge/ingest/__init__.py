"""Files of a person become documents: Markdown, text, HTML and PDF."""
