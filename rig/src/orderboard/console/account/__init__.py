"""The page of resources: every queue, topic, bus, rule, mapping and table of an account, with or without a stack."""
