"""What the command line says in one line when it cannot go on. Anything else that is raised is a bug."""


class RigError(Exception):
    """Tell the user; exit 1. The message names the mend."""


class UsageError(RigError):
    """The command was used wrongly; exit 2."""
