"""Sets up .venv from the locks. `install.py run` installs what runs, `install.py dev` what tests and checks need.

Needs nothing but Python. uv installs if it is on the PATH, else pip does. Packages come from a wheelhouse if there is
one (see offline/wheelhouse.py), else from the package index. Either way each must have a hash of the locks.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from offline.wheelhouse import WheelhouseError, files_for, find, this_target

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
OLDEST = (3, 11)
LOCKS = {"run": ("requirements.lock", "requirements-build.lock"), "dev": ("requirements-dev.lock",)}
MEGABYTES = {"run": 200, "dev": 300}
PURPOSE = {"run": "what Order Board runs on", "dev": "what its tests and checks need"}
_PIN = re.compile(r"^[A-Za-z0-9._-]+==[^ ;]+", re.MULTILINE)
PACKAGES = [path.parent for pattern in ("*", "services/*") for path in sorted(ROOT.glob(f"{pattern}/pyproject.toml"))]


class InstallError(Exception):
    """Setting up failed. The text says why and what to do."""


def main() -> None:
    """Set up one stage. Exits with 1 and the reason if that fails. The next run repairs what Ctrl-C leaves."""
    (stage,) = sys.argv[1:]
    started_at = time.monotonic()
    try:
        _check_python()
        _set_up(stage)
    except KeyboardInterrupt:
        sys.exit("Interrupted. Run the same command again to go on.")
    except (InstallError, WheelhouseError) as exc:
        sys.exit(str(exc))
    print(f"Installed in {time.monotonic() - started_at:.0f} s.", flush=True)


def _set_up(stage: str) -> None:
    _check_disk(stage)
    locks = {name: (ROOT / name).read_text() for name in LOCKS[stage]}
    folder = find(ROOT)
    wheels = None if folder is None else files_for(folder, locks, this_target())
    if folder is not None and wheels is None:
        print(f"{folder} does not have {PURPOSE[stage]} (make wheelhouse TESTS=1 adds it): asking the package index.")
    uv = shutil.which("uv")
    count = sum(_count(lock) for lock in locks.values())
    means = ("uv" if uv else "pip") + ("" if wheels is None else f", from {folder} alone")
    print(f"Installing {PURPOSE[stage]} into .venv: {count} packages, with {means} ...", flush=True)
    pip = next((each for each in wheels or () if each.name.startswith("pip-")), None)
    if stage == "run":
        _create_venv(uv, with_pip=pip is None)
    installer = _uv(uv) if uv else pip_command(pip)
    source = [] if wheels is None else ["--no-index", "--find-links", str(folder)]
    if wheels is None:
        check_index(installer, _PIN.findall(next(iter(locks.values())))[0], uses_uv=bool(uv))
    if stage == "run" and not uv:
        _upgrade_pip([*installer, *source])
        installer = pip_command()
    installer += source
    # The locks are complete: nothing is resolved again, where uv would want a hash of what the other lock has.
    # One package is published as source only. The build lock's setuptools builds it, not the newest of the index.
    for name, lock in reversed(locks.items()):
        run_installer([*installer, "--require-hashes", "--no-deps", "--no-build-isolation", "-r", name], _count(lock))
    if stage == "run":
        editable = [part for package in PACKAGES for part in ("-e", str(package))]
        run_installer([*installer, "--no-build-isolation", "--no-deps", *editable], len(PACKAGES))


def _count(lock: str) -> int:
    return len(_PIN.findall(lock))


def _check_disk(stage: str) -> None:
    free = shutil.disk_usage(ROOT).free // 1_000_000
    if free < MEGABYTES[stage]:
        raise InstallError(
            f"The disk of {ROOT} has {free} MB left; {PURPOSE[stage]} needs {MEGABYTES[stage]} MB. Free some space."
        )


def _check_python() -> None:
    if sys.version_info < OLDEST:
        found = ".".join(map(str, sys.version_info[:3]))
        raise InstallError(
            f"Order Board needs Python 3.11 or newer; {sys.executable} is {found}. Name another: make PYTHON=python3.13"
        )


def _create_venv(uv: "str | None", *, with_pip: bool) -> None:
    if uv:
        command = [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(VENV)]
    else:
        without = [] if with_pip else ["--without-pip"]
        command = [sys.executable, "-m", "venv", "--clear", *without, str(VENV)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise InstallError(
            f"{VENV} could not be created. On Debian and Ubuntu: apt install python3-venv\n{done.stdout}{done.stderr}"
        )


def _uv(uv: str) -> "list[str]":
    return [uv, "pip", "install", "--python", str(PYTHON)]


def pip_command(wheel: "Path | None" = None, action: str = "install") -> "list[str]":
    """The pip of .venv, or one that runs from its wheel: then Debian's python3-venv is not needed."""
    pip = ["-m", "pip"] if wheel is None else [str(wheel / "pip")]
    # Modules are compiled when they are first imported: most of what is installed never is.
    quick = ["--no-compile"] if action == "install" else []
    return [str(PYTHON), *pip, action, "--disable-pip-version-check", "--no-input", *quick]


def _upgrade_pip(installer: "list[str]") -> None:
    """Install the locked pip first: a pip as old as Python 3.11's takes twice as long for the rest."""
    (pin,) = re.findall(r"^pip==(?:.*\\\n)*.*", (ROOT / LOCKS["run"][0]).read_text(), re.MULTILINE)
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as lock:
        lock.write(pin)
        lock.flush()
        run_installer([*installer, "--require-hashes", "-r", lock.name], 1)


def check_index(installer: "list[str]", pin: str, *, uses_uv: bool) -> None:
    """Ask the package index for one package, so that a machine without a network learns it in a second."""
    environment = dict(os.environ, UV_HTTP_TIMEOUT="10", UV_HTTP_RETRIES="0")
    limits = ["--reinstall"] if uses_uv else ["--ignore-installed", "--retries", "0", "--timeout", "10"]
    done = subprocess.run(
        [*installer, *limits, "--dry-run", "--no-deps", pin],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise InstallError(
            f"No package index offers {pin}, so nothing can be installed. Connect this machine to a network, name an "
            f"index that it reaches (PIP_INDEX_URL for pip, UV_DEFAULT_INDEX for uv), or take a wheelhouse along: "
            f"docs/workshop/set-up.md.\n{done.stderr}"
        )


def run_installer(command: "list[str]", packages: int) -> None:
    """Run the installer; report progress by the packages that it names."""
    if command[0] != str(PYTHON):  # uv shows its own progress
        if subprocess.run(command, cwd=ROOT, check=False).returncode != 0:
            raise InstallError("The packages could not be installed: see above.")
        return
    output = []
    seen = 0
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        for line in process.stdout or ():
            output.append(line)
            if line.startswith(("Collecting ", "Obtaining ", "Processing ")):
                seen += 1
                _progress(f"{seen} of {packages}: {Path(line.split()[1]).name}", seen)
            elif line.startswith("Installing collected packages"):
                _progress("unpacking", 0)
    if sys.stdout.isatty():
        print("\r\033[K", end="", flush=True)
    if process.returncode != 0:
        errors = [line for line in output if "WARNING: Location" not in line]
        raise InstallError(f"The packages could not be installed:\n{''.join(errors[-20:])}")


def _progress(text: str, seen: int) -> None:
    if sys.stdout.isatty():
        print(f"\r\033[K  {text}", end="", flush=True)
    elif seen and seen % 20 == 0:
        print(f"  {text}", flush=True)


if __name__ == "__main__":
    main()
