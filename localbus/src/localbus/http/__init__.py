"""HTTP: the server, the client, forms and CORS."""
