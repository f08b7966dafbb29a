"""The notifier: a Lambda function that turns events into alerts and publishes each of them once.

Messages enter in handler.py (Lambda's entry point) and batch.py, alerts.py decides on the alert, and alert_publisher.py
publishes it.
"""
