"""Faults on a schedule, of workers, order-api and the backend."""
