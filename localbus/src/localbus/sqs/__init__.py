"""SQS: queues, messages, dead-letter queues and message move tasks."""
