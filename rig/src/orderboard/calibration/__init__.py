"""`orderboard calibrate`: the ceilings of a backend, measured with the services' client library and no logic."""
