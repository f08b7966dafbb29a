"""The events of archives: blocks of compressed text, and their rows on disk."""
