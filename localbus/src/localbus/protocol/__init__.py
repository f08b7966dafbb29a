"""AWS wire protocols: service models, request routing, serialisation and errors."""
