"""Templates: parsing, validation, parameters, conditions and intrinsic functions."""
