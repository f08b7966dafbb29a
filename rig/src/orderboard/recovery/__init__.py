"""Recovery of the orders table: backups, restores that lose nothing, and the drill that proves it."""
