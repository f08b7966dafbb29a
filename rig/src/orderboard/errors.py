"""Errors that the command line prints as one line. Any other exception is a bug."""


class RigError(Exception):
    """A failure that the user can understand; exit 1. The message names the fix."""


class UsageError(RigError):
    """Wrong usage of a command; exit 2."""
