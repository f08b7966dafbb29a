"""A burst as it is asked for: by options, or by a file such as burst.toml."""
