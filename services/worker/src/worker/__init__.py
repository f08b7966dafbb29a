"""The barista: takes commands from the queues, records each order once, says what became of it, then deletes."""
