"""An embedded engine for AWS messaging that one can look into: start with `queue.py`."""
