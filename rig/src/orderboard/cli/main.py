"""The entry point of the `orderboard` command: signals first, then the commands."""

# ruff: noqa: PLC0415

import signal


def main() -> None:
    """Run the command. Ctrl-C and SIGTERM end it in order, and without a traceback while it still imports."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from orderboard.cli.app import app

    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    app()
