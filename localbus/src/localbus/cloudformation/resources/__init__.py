"""Resource types that localbus creates itself."""
