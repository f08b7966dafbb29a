"""EventBridge event patterns, which SNS filter policies and event source mappings use too."""
