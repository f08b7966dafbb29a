"""CloudFormation templates: parsing, parameters, conditions and intrinsic functions."""
