"""`orderboard burst`: open-loop load on a separate system, scheduled faults, and a verdict on every order."""
