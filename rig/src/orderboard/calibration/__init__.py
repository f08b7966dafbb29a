"""`orderboard calibrate`: what a backend can do at most, asked with the services' own client library and no logic."""
