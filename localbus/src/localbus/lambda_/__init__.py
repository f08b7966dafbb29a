"""Lambda event source mappings of SQS queues."""
