"""The archive for a room without a network: a clone of this commit, the wheelhouse in it, and how to begin.

A clone, not a bundle: unpacking it needs no git. Every file has the time of the commit, so that `make` does not install
each time anew on a laptop whose clock is slow.
"""

import subprocess
import tarfile
import tempfile
from pathlib import Path

from install import ROOT
from offline.wheelhouse import WheelhouseError, spelled

ARCHIVE = ROOT / "dist" / "orderboard-workshop.tar"
_TOP = "orderboard-workshop"
_README = """\
Order Board with every package that it needs. No network is needed:

    cd orderboard && make demo

Without make: cd orderboard && python3 install.py run && .venv/bin/orderboard demo
The packages are for {targets}.
Next: orderboard/README.md. For the workshop: orderboard/docs/workshop.
"""


def pack(wheelhouse: Path, targets: list[str]) -> None:
    """Write the archive beside the present one, and put it in its place when it is whole."""
    ARCHIVE.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ARCHIVE.parent) as scratch:
        clone = Path(scratch, "orderboard")
        _git("clone", "--quiet", "--no-local", "--single-branch", "--no-tags", str(ROOT), str(clone))
        _git("-C", str(clone), "remote", "remove", "origin")
        if _git("-C", str(ROOT), "status", "--porcelain", "--untracked-files=no"):
            print("  What is not committed here is not in it.")
        made_at = int(_git("-C", str(clone), "log", "-1", "--format=%ct"))
        (readme := Path(scratch, "README.txt")).write_text(_README.format(targets=spelled(targets)))

        def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
            """Make it that of its reader, and readable by others: git refuses a clone of another user."""
            entry.uid = entry.gid = 0
            entry.uname = entry.gname = ""
            entry.mode |= 0o555 if entry.isdir() or entry.mode & 0o100 else 0o444
            entry.mtime = made_at
            return entry

        partial = Path(scratch, ARCHIVE.name)
        with tarfile.open(partial, "w") as archive:
            archive.add(readme, f"{_TOP}/README.txt", filter=plain)
            archive.add(clone, f"{_TOP}/orderboard", filter=plain)
            archive.add(wheelhouse, f"{_TOP}/orderboard/wheelhouse", filter=plain)
        partial.replace(ARCHIVE)


def _git(*words: str) -> str:
    try:
        done = subprocess.run(["git", *words], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as exc:
        why = exc.stderr if isinstance(exc, subprocess.CalledProcessError) else exc
        raise WheelhouseError(
            f"wheelhouse/ is whole, but the archive holds a clone of this folder, and git could not make one: {why}"
        ) from exc
    return done.stdout.strip()
