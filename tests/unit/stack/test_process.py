"""Reads of a process that answers badly."""

import socket
import threading
from collections.abc import Iterator

import pytest
from orderboard_stack.process import answers, read_json


@pytest.fixture
def broken_off() -> Iterator[str]:
    """The URL of a server that dies within each answer: after half of the body, or in the head."""
    texts = [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", b"HTTP/1.", b""]
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            for text in texts:
                connection, _ = server.accept()
                with connection:
                    connection.recv(4096)
                    connection.sendall(text)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        thread.join()


def test_an_answer_that_breaks_off_is_none(broken_off: str) -> None:
    """A backend that dies while it answers is one that does not answer yet: the wait for it goes on."""
    assert read_json(broken_off, 5.0) is None
    assert read_json(broken_off, 5.0) is None
    assert not answers(broken_off)
