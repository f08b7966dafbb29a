"""The terminal: progress, tables, consoles. Commands and reports render with it."""
