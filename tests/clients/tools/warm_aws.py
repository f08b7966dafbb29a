"""The AWS CLI as a server: imported once, it runs the command lines that the program `aws` of warm_cli.py sends.

Arguments: the folder for output. A call in the background gets a process, so that other calls go on.
"""

import contextlib
import io
import os
import signal
import socket
import sys
from pathlib import Path

from awscli.clidriver import create_clidriver


def received(connection):
    """Return the id of the process that asks, whether it is in the background, and the arguments after their number."""
    given = b""
    while (parts := given.split(b"\0")) and (len(parts) < 4 or len(parts) < 4 + int(parts[2])):
        given += connection.recv(1 << 20)
    return parts[0].decode(), parts[1] == b"background", [each.decode() for each in parts[3:-1]]


def run(driver, arguments, output):
    """Run a command line, write its output to files, and return its exit code."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = driver.main(arguments)
    output.with_suffix(".out").write_text(out.getvalue())
    output.with_suffix(".err").write_text(err.getvalue())
    return code


def serve(folder):
    """Print the port, and serve."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    driver = create_clidriver()
    with socket.create_server(("127.0.0.1", 0)) as server:
        print(server.getsockname()[1], flush=True)
        while True:
            connection, _ = server.accept()
            with connection:
                asking, in_background, arguments = received(connection)
                child = os.fork() if in_background else None
                if not child:
                    code = run(driver, arguments, folder / asking)
                    connection.sendall(b"%d\n" % code)
                if child == 0:
                    os._exit(0)


serve(Path(sys.argv[1]))
