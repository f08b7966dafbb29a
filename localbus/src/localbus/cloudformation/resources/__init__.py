"""Resource types that localbus creates itself, by service."""
