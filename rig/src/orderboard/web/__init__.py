"""The protection of the pages that commands serve on this machine."""
