"""How the studio asks a chat model: over OpenAI's API, within bounds, and never trusting what comes back."""
