"""The system under test: its backend, processes and state."""
