"""Shared by tests: waiting, stacks on a backend, engines, fake functions, web servers and golden samples."""
