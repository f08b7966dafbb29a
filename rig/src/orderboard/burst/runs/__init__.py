"""Kept runs: their folders, their document and its schema, tags and notes, comparison and trends."""
