"""The commands that send load, and those that keep and compare what was measured."""
