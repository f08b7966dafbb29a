"""Storage: state on disk that is written before it is acknowledged, in one SQLite database."""
