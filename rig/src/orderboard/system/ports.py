"""The ports that are used if they are free."""

from typing import Final

API_PORT: Final = 8000
CONSOLE_PORT: Final = 8080
WALL_PORT: Final = 8090
