"""An account: its queues, topics and buses by name, and single messages to them."""
