"""Generators on other machines: they join a burst with its token, and each sends a part of its load."""
