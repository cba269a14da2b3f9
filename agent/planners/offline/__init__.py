"""The planner that needs no model: lexicons, rules and a storyboard artist's habits, all in data."""
