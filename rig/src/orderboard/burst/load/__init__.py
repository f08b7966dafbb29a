"""The load generator: arrival times and requests."""
