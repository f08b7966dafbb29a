"""The ledger: where each accepted order ended, and the evidence."""
