"""The `orderboard` command: one file a command."""
