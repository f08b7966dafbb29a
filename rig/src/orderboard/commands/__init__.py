"""The command line: one file a command, and app.py, which puts them together. What a command does lies elsewhere."""
