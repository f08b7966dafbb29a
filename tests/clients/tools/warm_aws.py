"""The AWS CLI as a server: imported once, it runs the command lines that the program `aws` of warm_cli.py sends.

A call in the background gets a process, so that other calls go on.
"""

import contextlib
import io
import os
import signal
import socket

from awscli.clidriver import create_clidriver


def received(connection):
    """Return whether a command line is in the background, and its arguments, which come after their number."""
    given = b""
    while (parts := given.split(b"\0")) and (len(parts) < 3 or len(parts) < 3 + int(parts[1])):
        given += connection.recv(1 << 20)
    return parts[0] == b"background", [each.decode() for each in parts[2:-1]]


def run(driver, arguments):
    """Run a command line; return its exit code, its output and its error output."""
    output, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        code = driver.main(arguments)
    return "".join(f"{each}\0" for each in (code, output.getvalue(), errors.getvalue())).encode()


def serve():
    """Print the port, and serve."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    driver = create_clidriver()
    with socket.create_server(("127.0.0.1", 0)) as server:
        print(server.getsockname()[1], flush=True)
        while True:
            connection, _ = server.accept()
            with connection:
                in_background, arguments = received(connection)
                child = os.fork() if in_background else None
                if not child:
                    connection.sendall(run(driver, arguments))
                if child == 0:
                    os._exit(0)


serve()
