"""A wheelhouse: a folder with every package of the locks, from which install.py sets up .venv without a network.

make.py makes one. Its wheelhouse.json lists the files for each Python and platform, and their hashes.
Needs nothing but Python: there is no .venv yet when this is read. Run it to check the wheelhouse that `make` would use:
python3 offline/wheelhouse.py
"""

import hashlib
import json
import os
import platform
import sys
import sysconfig
from pathlib import Path

VARIABLE = "ORDERBOARD_WHEELHOUSE"
MANIFEST = "wheelhouse.json"
_SHOWN = 4


class WheelhouseError(Exception):
    """This wheelhouse cannot be used. The text says why and what to do."""


def find(root: Path) -> "Path | None":
    """The folder that ORDERBOARD_WHEELHOUSE names, else wheelhouse/ if it is there. None: use the package index."""
    named = os.environ.get(VARIABLE)
    folder = root / "wheelhouse" if named is None else Path(named).expanduser().resolve()
    if named == "" or (named is None and not folder.is_dir()):
        return None
    if not folder.is_dir():
        raise WheelhouseError(
            f"{VARIABLE} is {named}, which is not a folder. Name a folder that `make wheelhouse` made, or unset it."
        )
    return folder


def files_for(folder: Path, locks: "dict[str, str]", target: str) -> "list[Path] | None":
    """The files from which these locks can be installed on this target, each checked.

    None: it was made without these locks. Raises WheelhouseError when it does not fit, or is not whole.
    """
    manifest = _manifest(folder)
    if not locks.keys() <= manifest["locks"].keys():
        return None
    changed = [name for name, text in locks.items() if manifest["locks"][name] != fingerprint(text)]
    if changed:
        raise WheelhouseError(
            f"{folder} has other versions of the packages: {' and '.join(changed)} changed since{_remedy(None)}"
        )
    fitting = manifest["files"].get(target)
    if fitting is None:
        raise WheelhouseError(_misfit(folder, manifest, target))
    names = [name for lock in locks for name in fitting[lock]]
    _check_whole(folder, names, manifest["sha256"])
    return [folder / name for name in names]


def this_target() -> str:
    """The target that this Python is, such as `3.11 linux-x86_64`."""
    machine = platform.machine()
    system = {"linux": "linux", "darwin": "macos"}.get(sys.platform, sys.platform)
    libc = "musl-" if "musl" in (sysconfig.get_config_var("SOABI") or "") else ""
    return f"{sys.version_info[0]}.{sys.version_info[1]} {system}-{libc}{machine}"


def fingerprint(lock: str) -> str:
    """A hash of what a lock pins, whatever its comments say."""
    pins = [line for line in lock.splitlines() if not line.lstrip().startswith("#")]
    return hashlib.sha256("\n".join(pins).encode()).hexdigest()


def sha256(path: Path) -> str:
    """The hash of a file."""
    with path.open("rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def listed(names: "list[str]") -> str:
    """The first few names, and how many more there are."""
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def spelled(targets: "list[str]") -> str:
    """The targets for a reader: Python 3.11, 3.12 on linux-x86_64."""
    platforms: dict[str, list[str]] = {}
    for version, where in map(str.split, targets):
        platforms.setdefault(where, []).append(version)
    return " and ".join(f"Python {', '.join(versions)} on {where}" for where, versions in platforms.items())


def _manifest(folder: Path) -> dict:
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_bytes())
        _ = manifest["locks"].keys(), manifest["files"].keys(), manifest["sha256"].keys()
    except FileNotFoundError:
        raise WheelhouseError(
            f"{folder} has no {MANIFEST}: it was not made by `make wheelhouse`, or not copied whole{_remedy(None)}"
        ) from None
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as exc:
        raise WheelhouseError(f"{path} cannot be read ({type(exc).__name__}: {exc}){_remedy(None)}") from exc
    return manifest


def _check_whole(folder: Path, names: "list[str]", hashes: "dict[str, str]") -> None:
    missing = [name for name in names if not (folder / name).is_file()]
    damaged = [name for name in names if name not in missing and sha256(folder / name) != hashes.get(name)]
    wrong = [
        f"{len(found)} of its {len(names)} files {state}: {listed(found)}"
        for found, state in ((missing, "missing"), (damaged, "damaged"))
        if found
    ]
    if wrong:
        raise WheelhouseError(f"{folder} is not whole: {'; '.join(wrong)}{_remedy(None)}")


def _misfit(folder: Path, manifest: dict, target: str) -> str:
    targets = manifest["files"]
    version, where = target.split()
    pythons = [each.split()[0] for each in targets if each.split()[1] == where]
    names = sorted({name for files in targets.values() for names in files.values() for name in names})
    unfit = sorted({name.split("-")[0] for name in names if not _fits_any(name, same_platform=bool(pythons))})
    other = f"\nUse one of its Pythons: make PYTHON=python{pythons[-1]} demo" if pythons else ""
    return (
        f"{folder} is for {spelled(list(targets))}; this is {spelled([target])}. "
        f"It has no fitting file of {listed(unfit)}.{other}{_remedy((version, where))}"
    )


def _fits_any(name: str, *, same_platform: bool) -> bool:
    """Return whether a file is for every Python; those with a stable ABI are for every one of their platform."""
    return name.endswith(("-any.whl", ".tar.gz")) or (same_platform and "-abi3-" in name)


def _remedy(target: "tuple[str, str] | None") -> str:
    options = "" if target is None else ' PYTHONS="{}" PLATFORMS="{}"'.format(*target)
    begin = "Copy it again, or make it again" if target is None else "Make it"
    return (
        f"\n{begin} on a machine with a network: make wheelhouse{options}"
        f"\nWith a network here, do without it: {VARIABLE}= make demo"
    )


def main() -> None:
    """Check the wheelhouse that `make` would use: exit code 0 if it fits and is whole, else 1, 2 for none."""
    root = Path(__file__).resolve().parents[1]
    locks = {name: (root / name).read_text() for name in ("requirements.lock", "requirements-build.lock")}
    try:
        folder = find(root)
        if folder is None:
            print("none is here")
            sys.exit(2)
        files = files_for(folder, locks, this_target()) or ()
    except WheelhouseError as exc:
        sys.exit(str(exc))
    print(f"{len(files)} packages in {folder}, whole; it is for {spelled(list(_manifest(folder)['files']))}")


if __name__ == "__main__":
    main()
