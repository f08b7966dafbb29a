"""Sets up .venv from the locks. `install.py run` installs what runs, `install.py dev` what tests and checks need.

Needs nothing but Python. uv installs if it is on the PATH, else pip does.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
OLDEST = (3, 11)
LOCKS = {"run": ("requirements.lock", "requirements-build.lock"), "dev": ("requirements-dev.lock",)}
PURPOSE = {"run": "what Order Board runs on", "dev": "what its tests and checks need"}
PACKAGES = [path.parent for pattern in ("*", "services/*") for path in sorted(ROOT.glob(f"{pattern}/pyproject.toml"))]


class InstallError(Exception):
    """Setting up failed. The text says why and what to do."""


def main() -> None:
    """Set up one stage. Exits with 1 and the reason if that fails. The next run repairs what Ctrl-C leaves."""
    (stage,) = sys.argv[1:]
    started_at = time.monotonic()
    try:
        _check_python()
        uv = shutil.which("uv")
        pins = [line for lock in LOCKS[stage] for line in (ROOT / lock).read_text().splitlines() if "==" in line]
        print(
            f"Installing {PURPOSE[stage]} into .venv: {len(pins)} packages, with {'uv' if uv else 'pip'} ...",
            flush=True,
        )
        if stage == "run":
            _create_venv(uv)
        installer = _uv(uv) if uv else _pip()
        _check_index(installer, pins[0].split(";")[0].strip(" \\"), bool(uv))
        if stage == "run" and not uv:
            _upgrade_pip(installer)
        locks = [part for lock in LOCKS[stage] for part in ("-r", lock)]
        _install([*installer, "--require-hashes", *locks], len(pins))
        if stage == "run":
            editable = [part for package in PACKAGES for part in ("-e", str(package))]
            _install([*installer, "--no-build-isolation", "--no-deps", *editable], len(PACKAGES))
    except KeyboardInterrupt:
        sys.exit("Interrupted. Run the same command again to go on.")
    except InstallError as exc:
        sys.exit(str(exc))
    print(f"Installed in {time.monotonic() - started_at:.0f} s.", flush=True)


def _check_python() -> None:
    if sys.version_info < OLDEST:
        found = ".".join(map(str, sys.version_info[:3]))
        raise InstallError(
            f"Order Board needs Python 3.11 or newer; {sys.executable} is {found}. Name another: make PYTHON=python3.13"
        )


def _create_venv(uv: "str | None") -> None:
    if uv:
        command = [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(VENV)]
    else:
        command = [sys.executable, "-m", "venv", "--clear", str(VENV)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise InstallError(
            f"{VENV} could not be created. On Debian and Ubuntu: apt install python3-venv\n{done.stdout}{done.stderr}"
        )


def _uv(uv: str) -> "list[str]":
    return [uv, "pip", "install", "--python", str(PYTHON)]


def _pip() -> "list[str]":
    # Modules are compiled when they are first imported: most of what is installed never is.
    return [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--no-compile", "--no-input"]


def _upgrade_pip(installer: "list[str]") -> None:
    """Install the locked pip first: a pip as old as Python 3.11's takes twice as long for the rest."""
    (pin,) = re.findall(r"^pip==(?:.*\\\n)*.*", (ROOT / LOCKS["run"][0]).read_text(), re.MULTILINE)
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as lock:
        lock.write(pin)
        lock.flush()
        _install([*installer, "--require-hashes", "-r", lock.name], 1)


def _check_index(installer: "list[str]", pin: str, uses_uv: bool) -> None:
    """Ask the package index for one package, so that a machine without a network learns it in a second."""
    environment = dict(os.environ, UV_HTTP_TIMEOUT="10", UV_HTTP_RETRIES="0")
    limits = [] if uses_uv else ["--retries", "0", "--timeout", "10"]
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
            f"No package index offers {pin}, so nothing can be installed. Connect this machine to a network, or name "
            f"an index that it reaches: PIP_INDEX_URL for pip, UV_DEFAULT_INDEX for uv.\n{done.stderr}"
        )


def _install(command: "list[str]", packages: int) -> None:
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
            if line.startswith(("Collecting ", "Obtaining ")):
                seen += 1
                _progress(f"{seen} of {packages}: {line.split()[1]}", seen)
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
