"""The wall: what attendees who opted in report of their progress, and what a wall keeps of it."""
