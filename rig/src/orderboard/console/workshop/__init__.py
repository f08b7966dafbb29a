"""The workshop in the console: its page, and the wall that shows everybody's progress."""
