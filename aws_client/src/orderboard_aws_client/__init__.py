"""AWS access shared by the services: batching, errors, backoff, logs and the format of stored orders."""
