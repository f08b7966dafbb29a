"""The entry point of the `orderboard` command: signals first, then the commands."""

# ruff: noqa: PLC0415

import signal


def main() -> None:
    """Run the command. Ctrl-C and SIGTERM end it in order, and without a traceback while it is still being built."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from typer.main import get_command

    from orderboard.cli.app import app

    command = get_command(app)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    command()
