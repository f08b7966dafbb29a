"""Defaults and limits of a burst, for the help too: this imports nothing."""

from typing import Final

DEFAULT_MIX: Final = "express=10,large=2,sold_out=1,invalid=1,duplicate=2,cancel=2,poison=0.1"
DEFAULT_RATE: Final = 100.0
DEFAULT_DURATION: Final = "20s"
DEFAULT_PROFILE: Final = "constant"
MAX_CLIENTS: Final = 10_000
MAX_ORDERS: Final = 5_000_000
MAX_SCALE: Final = 1_000_000
MAX_GENERATORS: Final = 64
BURST_PORT: Final = 8071
BURST_TOKEN_VARIABLE: Final = "ORDERBOARD_BURST_TOKEN"  # noqa: S105 - its name
