"""The boundary to the upstream: brings what its services send to queues, topics and buses into those of this engine."""
