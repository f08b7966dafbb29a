"""The sockets of processes that are open to other machines."""

import contextlib
import ipaddress
import socket
import threading
from collections.abc import Iterable, Iterator

import psutil


def beyond_loopback(processes: Iterable[psutil.Process]) -> list[tuple[str, str, int]]:
    """The sockets of these processes, IPv4 and IPv6, that are open to other machines: TCP that listens, and UDP."""
    found = []
    for process in processes:
        with contextlib.suppress(psutil.Error):
            for each in process.net_connections("inet"):
                receives = each.type == socket.SOCK_DGRAM and not each.raddr
                listens = each.type == socket.SOCK_STREAM and each.status == psutil.CONN_LISTEN
                if (listens or receives) and not ipaddress.ip_address(each.laddr.ip).is_loopback:
                    found.append((" ".join(process.cmdline())[-80:], each.laddr.ip, each.laddr.port))
    return found


@contextlib.contextmanager
def only_loopback() -> Iterator[None]:
    """Assert that no process that is started in the block opens more than loopback, at any moment."""
    own, ending = psutil.Process(), threading.Event()
    seen, found = set[int](), list[tuple[str, str, int]]()

    def watch() -> None:
        while not ending.wait(0.3):
            processes = own.children(recursive=True)
            seen.update(each.pid for each in processes)
            found.extend(beyond_loopback(processes))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        ending.set()
        watcher.join()
    assert seen
    assert found == []
