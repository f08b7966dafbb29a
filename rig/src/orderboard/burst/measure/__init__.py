"""Measurements during a burst."""
