"""`make wheelhouse`: downloads every package of the locks, and packs them with a clone of this commit into an archive.

Runs in .venv, whose pip downloads and checks the hashes. pip evaluates the locks' markers for itself and not for the
Python that it downloads for, so they are evaluated here.
"""

import argparse
import json
import re
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_sdist_filename, parse_wheel_filename
from packaging.version import Version

from install import LOCKS, ROOT, InstallError, check_index, pip_command, run_installer
from offline.archive import ARCHIVE, pack
from offline.wheelhouse import MANIFEST, WheelhouseError, fingerprint, sha256, spelled, this_target

FOLDER = ROOT / "wheelhouse"
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
# Packages that are published as source only. They are pure Python.
SOURCES = ("localstack-client",)
# The tags that pip may choose from, and the values of the markers sys_platform and platform_machine. glibc 2.28 is that
# of Debian 10, Ubuntu 20.04 has a newer one.
_GLIBC = ("2_28", "2_27", "2_26", "2_24", "2_17", "2_12", "2_5")
PLATFORMS = {
    "linux-x86_64": ([f"manylinux_{each}_x86_64" for each in _GLIBC], "linux", "x86_64"),
    "linux-aarch64": ([f"manylinux_{each}_aarch64" for each in _GLIBC], "linux", "aarch64"),
    "linux-musl-x86_64": (["musllinux_1_2_x86_64", "musllinux_1_1_x86_64"], "linux", "x86_64"),
    "macos-arm64": (["macosx_14_0_arm64"], "darwin", "arm64"),
}
_ENTRY = re.compile(r"^([A-Za-z0-9._-]+==[^\\\n]*)((?:\\\n +--hash=\S+ ?)+)", re.MULTILINE)


def main() -> None:
    """Make the wheelhouse and the archive. Ctrl-C keeps what is finished, and the next run goes on with it."""
    options = _options()
    started_at = time.monotonic()
    targets = [f"{python} {platform}" for platform in options.platforms for python in options.pythons]
    try:
        _make(targets, [*LOCKS["run"], *(LOCKS["dev"] if options.dev else ())])
        print(f"Packing {ARCHIVE.relative_to(ROOT)} ...", flush=True)
        pack(FOLDER, targets)
    except KeyboardInterrupt:
        sys.exit("Interrupted. Run the same command again to go on.")
    except (InstallError, WheelhouseError) as exc:
        sys.exit(str(exc))
    except OSError as exc:
        sys.exit(f"{exc.filename or ROOT} could not be written: {exc.strerror}. Run the same command again to go on.")
    files = [each.stat().st_size for each in FOLDER.iterdir()]
    here = "; `make` installs from it from now on" if this_target() in targets else ""
    print(
        f"Made in {time.monotonic() - started_at:.0f} s, for {spelled(targets)}:\n"
        f"  {FOLDER.name}/: {len(files) - 1} packages, {_megabytes(sum(files))}{here}\n"
        f"  {ARCHIVE.relative_to(ROOT)}: {_megabytes(ARCHIVE.stat().st_size)}, the same and a clone of this commit,\n"
        f"    on a USB stick, or over a network: python3 -m http.server 8070 --directory {ARCHIVE.parent.name}\n"
        f"  On each laptop: tar xf {ARCHIVE.name} && cd orderboard-workshop/orderboard && make demo"
    )


def requirements(lock: str, target: str) -> "Iterator[tuple[Requirement, str]]":
    """The pins that apply to a target, each with its entry in the lock but without the marker."""
    python, platform = target.split()
    _, system, machine = PLATFORMS[platform]
    environment = {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "os_name": "posix",
        "sys_platform": system,
        "platform_system": system.capitalize(),
        "platform_machine": machine,
    }
    for pin, hashes in _ENTRY.findall(lock):
        requirement = Requirement(pin)
        if requirement.marker is None or requirement.marker.evaluate(environment):
            yield requirement, f"{requirement.name}{requirement.specifier} {hashes}"


def _options() -> argparse.Namespace:
    here = this_target().split()[1]
    parser = argparse.ArgumentParser(prog="make wheelhouse", description=__doc__)
    parser.add_argument("--pythons", nargs="*", default=PYTHONS)
    parser.add_argument("--platforms", nargs="*", default=[here])
    parser.add_argument("--dev", action="store_true")
    options = parser.parse_args()
    for python in options.pythons:
        if not re.fullmatch(r"3\.\d+", python) or int(python[2:]) < 11:
            sys.exit(
                f'PYTHONS has {python}; it takes versions from 3.11: make wheelhouse PYTHONS="{" ".join(PYTHONS)}"'
            )
    for platform in options.platforms:
        if platform not in PLATFORMS:
            sys.exit(f"There are no packages for {platform}. PLATFORMS takes: {', '.join(PLATFORMS)}.")
    return options


def _make(targets: list[str], names: list[str]) -> None:
    """Download into a folder beside the present one, and put it in its place when it is whole."""
    partial = FOLDER.with_suffix(".partial")
    locks = {name: (ROOT / name).read_text() for name in names}
    check_index(pip_command(), str(next(requirements(locks[names[0]], targets[0]))[0]), uses_uv=False)
    manifest: dict[str, dict] = {"locks": {name: fingerprint(text) for name, text in locks.items()}, "files": {}}
    whole = partial / "whole"
    shutil.rmtree(whole, ignore_errors=True)
    whole.mkdir(parents=True)
    for number, target in enumerate(targets, 1):
        print(f"Downloading for {spelled([target])} ({number} of {len(targets)}) ...", flush=True)
        folder = partial / target.replace(" ", "-")
        files = _download(folder, locks, target)
        manifest["files"][target] = {
            name: [files[_pinned(each)].name for each, _ in requirements(text, target)] for name, text in locks.items()
        }
        for name in {name for used in manifest["files"][target].values() for name in used}:
            shutil.copyfile(folder / name, whole / name)
    manifest["sha256"] = {path.name: sha256(path) for path in sorted(whole.iterdir())}
    (whole / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n")
    shutil.rmtree(FOLDER, ignore_errors=True)
    whole.rename(FOLDER)
    shutil.rmtree(partial)


def _download(folder: Path, locks: dict[str, str], target: str) -> dict[tuple[str, str], Path]:
    """Download what the locks pin for this target, and return the file of each name and version."""
    entries = {str(each): entry for text in locks.values() for each, entry in requirements(text, target)}
    python, platform = target.split()
    tags = [part for tag in PLATFORMS[platform][0] for part in ("--platform", tag)]
    sources = [part for name in SOURCES for part in ("--no-binary", name)]
    folder.mkdir(exist_ok=True)
    (lock := folder / "requirements.txt").write_text("\n".join(entries.values()))
    command = [*pip_command(action="download"), "--require-hashes", "-r", str(lock), "--dest", str(folder), "--no-deps"]
    try:
        run_installer(
            [*command, "--only-binary", ":all:", *sources, "--no-build-isolation", "--python-version", python, *tags],
            len(entries),
        )
    except InstallError as exc:
        raise WheelhouseError(_explained(str(exc), target)) from exc
    return {_name_and_version(path): path for path in folder.iterdir() if path.suffix in (".whl", ".gz")}


def _explained(output: str, target: str) -> str:
    again = "Run the same command again; each Python that is finished is kept."
    if "No space left on device" in output:
        return f"The disk is full: {spelled([target])} needs about 100 MB while it is made. Free some. {again}"
    if "connection broken" in output:
        return f"The package index stopped answering. {again}"
    if none := re.search(r"No matching distribution found for (\S+)", output):
        return (
            f"The package index has no file of {none[1]} for {spelled([target])}. "
            f"Leave this one out of PYTHONS or PLATFORMS."
        )
    return output


def _pinned(requirement: Requirement) -> tuple[str, str]:
    (pin,) = requirement.specifier
    return canonicalize_name(requirement.name), str(Version(pin.version))


def _name_and_version(path: Path) -> tuple[str, str]:
    name, version = (parse_wheel_filename if path.suffix == ".whl" else parse_sdist_filename)(path.name)[:2]
    return canonicalize_name(name), str(version)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.0f} MB"


if __name__ == "__main__":
    main()
