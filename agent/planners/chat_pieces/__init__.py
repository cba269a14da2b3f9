"""What the chat-model planner asks for, one kind of piece a file, and the rules by which pieces meet what is known."""
