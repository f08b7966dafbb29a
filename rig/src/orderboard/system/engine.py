"""The process of a backend's engine, which changes when the backend starts it again."""

from contextlib import suppress
from urllib.parse import urlsplit

import psutil
from orderboard_stack.process import listening_ports


def engine_process(backend_pid: int, endpoint_url: str | None) -> psutil.Process | None:
    """Return the process that listens at the endpoint, of the backend's processes; None while there is none."""
    port = urlsplit(endpoint_url or "").port
    with suppress(psutil.Error):
        leader = psutil.Process(backend_pid)
        family = (leader, *leader.children(recursive=True))
        return next((each for each in family if port in listening_ports(each.pid)), None)
    return None
