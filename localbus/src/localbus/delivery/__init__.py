"""Delivery of messages to the targets of SNS and EventBridge: attempts, retries and dead-letter queues."""
