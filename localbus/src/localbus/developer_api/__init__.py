"""The developer API under /_localbus/: journal, clock, faults and a look into every queue."""
