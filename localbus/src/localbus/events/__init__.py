"""EventBridge: buses, rules, targets, archives, replays and API destinations."""
