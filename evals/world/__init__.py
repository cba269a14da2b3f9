"""The world a scenario plays in: its machine, engines, models, web, chat model, and what goes wrong when."""
