"""The worker: receives commands, records each order exactly once, emits its outcome event, then deletes the message."""
