"""Orders: placing them, following them, and their queues."""
