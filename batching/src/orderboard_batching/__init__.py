"""Concurrent callers share AWS batch calls: batcher.py is the mechanism, event_bus.py its use for PutEvents.

aws_requests.py counts what a client asks of AWS.
"""
