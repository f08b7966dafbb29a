"""An embedded engine for AWS messaging and tables that one can look into: start with `sqs/queue.py`."""

VERSION = "0.1.0"
