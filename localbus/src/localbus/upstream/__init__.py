"""The engine behind localbus: a proxy for other services, and a client for calls to it."""
