"""`orderboard burst`: open-loop load on a system of its own, faults on a schedule, and a verdict on every order."""
