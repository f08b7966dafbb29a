"""The page of a running burst, served on this machine."""
