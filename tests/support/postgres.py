"""A PostgreSQL server for tests: its own data, no port, and its end with the block. From Debian's package.

PostgreSQL refuses to run as root, so it runs as the user `postgres`, whom the package makes.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

_INSTALLED: Final = Path("/usr/lib/postgresql")  # Debian's place, which is not on the PATH
_READY_WITHIN_S: Final = 30.0
_STOPS_WITHIN_S: Final = 15.0


def require_postgres() -> Path:
    """Return the folder of PostgreSQL's programs; skip the test without one, or fail if it is required."""
    found = sorted(_INSTALLED.glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("postgres")
    if found or on_path:
        return (found[-1] if found else Path(str(on_path))).parent
    reason = "PostgreSQL is not installed; on Debian: apt-get install postgresql"
    if os.environ.get("ORDERBOARD_REQUIRE_POSTGRES") == "1":
        pytest.fail(f"{reason} (ORDERBOARD_REQUIRE_POSTGRES=1 makes this a failure)", pytrace=False)
    pytest.skip(reason)


@contextmanager
def postgres(programs: Path, *, durable: bool = False) -> Iterator[str]:
    """Run a server with an empty database; yield the connection string. durable: with fsync, as in production."""
    as_user: dict[str, Any] = {}
    if os.getuid() == 0:
        user = pwd.getpwnam("postgres")
        as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    try:
        if as_user:
            os.chown(folder, as_user["user"], as_user["group"])
        data = folder / "data"
        create: list[str | Path] = [
            programs / "initdb",
            "-D",
            data,
            "-A",
            "trust",
            "-U",
            "orders",
            "-E",
            "UTF8",
            "--no-sync",
        ]
        subprocess.run(create, check=True, capture_output=True, cwd=folder, **as_user)
        settings = ["listen_addresses=", f"unix_socket_directories={folder}", f"fsync={'on' if durable else 'off'}"]
        command: list[str | Path] = [
            programs / "postgres",
            "-D",
            data,
            *(word for each in settings for word in ("-c", each)),
        ]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, **as_user)
        try:
            address = f"host={folder} user=orders dbname=postgres"
            _wait(server, address, folder / "log")
            yield address
        finally:
            server.send_signal(signal.SIGINT)  # a fast shutdown: open sessions end
            server.wait(_STOPS_WITHIN_S)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait(server: "subprocess.Popen[bytes]", address: str, log: Path) -> None:
    import psycopg  # noqa: PLC0415 - a test without PostgreSQL does not need it

    until = time.monotonic() + _READY_WITHIN_S
    while True:
        try:
            psycopg.connect(address).close()
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() >= until:
                raise AssertionError(f"PostgreSQL did not start:\n{log.read_text()}") from None
            time.sleep(0.05)
        else:
            return
