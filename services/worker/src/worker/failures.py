"""What can go wrong with a message, named by what the caller does next. AWS errors become these in aws_errors.py."""


class PoisonError(Exception):
    """This message can never be handled, here or elsewhere."""


class TransientError(Exception):
    """This message failed now and may well succeed later."""


class UnavailableError(Exception):
    """A backend does not answer, or refuses everybody: nothing is wrong with the message."""


class RowMovedError(TransientError):
    """The order's row changed between reading and writing: look again."""


class ReceiptExpiredError(Exception):
    """The message is no longer ours: somebody else may have it by now."""
