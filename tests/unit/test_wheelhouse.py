"""A wheelhouse: installed from without a network, and rejected with the fix when it does not fit or is not whole."""

import hashlib
import importlib
import importlib.util
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path
from typing import Any

import pip
import pytest

ROOT = Path(__file__).parents[2]
LOCK = "idna==3.20 \\\n    --hash=sha256:{}\n"


@pytest.fixture
def wheelhouse(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module; it is a script's and in no distribution."""
    monkeypatch.syspath_prepend(str(ROOT))
    monkeypatch.delenv("ORDERBOARD_WHEELHOUSE", raising=False)
    return importlib.import_module("offline.wheelhouse")


@pytest.fixture
def make(wheelhouse: Any) -> Any:
    """The module that makes one."""
    return importlib.import_module("offline.make")


@pytest.fixture
def folder(tmp_path: Path, wheelhouse: Any) -> Path:
    """A wheelhouse of one file, for this Python alone."""
    folder = tmp_path / "wheelhouse"
    write_wheelhouse(folder, {"idna-3.20-py3-none-any.whl": b"a wheel"}, {"run.lock": LOCK}, wheelhouse)
    return folder


def write_wheelhouse(folder: Path, files: dict[str, bytes], locks: dict[str, str], wheelhouse: Any) -> None:
    """Write the files and the manifest that `make wheelhouse` writes."""
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    manifest = {
        "locks": {name: wheelhouse.fingerprint(text) for name, text in locks.items()},
        "files": {wheelhouse.this_target(): {name: list(files) for name in locks}},
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    }
    (folder / "wheelhouse.json").write_text(json.dumps(manifest))


def test_the_folder_is_used_if_it_is_there(
    tmp_path: Path, folder: Path, wheelhouse: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable names another folder; empty, it turns the wheelhouse off."""
    assert wheelhouse.find(tmp_path) == folder
    assert wheelhouse.find(tmp_path / "elsewhere") is None

    monkeypatch.setenv("ORDERBOARD_WHEELHOUSE", str(folder))
    assert wheelhouse.find(tmp_path / "elsewhere") == folder
    monkeypatch.setenv("ORDERBOARD_WHEELHOUSE", "")
    assert wheelhouse.find(tmp_path) is None
    monkeypatch.setenv("ORDERBOARD_WHEELHOUSE", str(tmp_path / "nowhere"))
    with pytest.raises(wheelhouse.WheelhouseError, match=r"nowhere, which is not a folder\. Name a folder"):
        wheelhouse.find(tmp_path)


def test_a_whole_one_that_fits(folder: Path, wheelhouse: Any) -> None:
    """Its files are those of the locks, whatever their comments say. It has none of locks that it was made without."""
    found = wheelhouse.files_for(folder, {"run.lock": f"{LOCK}    # via requests\n"}, wheelhouse.this_target())

    assert found == [folder / "idna-3.20-py3-none-any.whl"]
    assert wheelhouse.files_for(folder, {"dev.lock": LOCK}, wheelhouse.this_target()) is None


def test_a_file_that_is_missing_or_damaged_is_named(folder: Path, wheelhouse: Any) -> None:
    """The error names the file, and both ways to go on: make it again, or use the network."""
    (folder / "idna-3.20-py3-none-any.whl").write_bytes(b"a whe")
    with pytest.raises(wheelhouse.WheelhouseError, match="1 of its 1 files damaged: idna") as damaged:
        wheelhouse.files_for(folder, {"run.lock": LOCK}, wheelhouse.this_target())
    (folder / "idna-3.20-py3-none-any.whl").unlink()
    with pytest.raises(wheelhouse.WheelhouseError, match="1 of its 1 files missing: idna"):
        wheelhouse.files_for(folder, {"run.lock": LOCK}, wheelhouse.this_target())

    assert "make wheelhouse" in str(damaged.value)
    assert "ORDERBOARD_WHEELHOUSE= make demo" in str(damaged.value)


def test_one_of_other_versions_is_rejected(folder: Path, wheelhouse: Any) -> None:
    """A lock that pins something else is named."""
    with pytest.raises(wheelhouse.WheelhouseError, match=r"run\.lock changed since"):
        wheelhouse.files_for(folder, {"run.lock": LOCK.replace("3.20", "3.21")}, wheelhouse.this_target())


@pytest.mark.parametrize("manifest", [None, "", "{", "[]", '{"locks": {}}', '{"locks": [], "files": {}, "sha256": {}}'])
def test_a_manifest_that_is_missing_or_damaged(manifest: str | None, folder: Path, wheelhouse: Any) -> None:
    """The error names wheelhouse.json, which is copied last or not at all."""
    (folder / "wheelhouse.json").unlink()
    if manifest is not None:
        (folder / "wheelhouse.json").write_text(manifest)

    with pytest.raises(wheelhouse.WheelhouseError, match=r"wheelhouse\.json"):
        wheelhouse.files_for(folder, {"run.lock": LOCK}, wheelhouse.this_target())


def test_one_for_another_python_or_platform(folder: Path, wheelhouse: Any) -> None:
    """The error has the packages without a fitting file, the Python that fits, and the options for this one."""
    document = json.loads((folder / "wheelhouse.json").read_text())
    files = [
        "idna-3.20-py3-none-any.whl",
        "orjson-3.13.0-cp312-cp312-manylinux_2_17_x86_64.whl",
        "cryptography-50.0.2-cp311-abi3-manylinux_2_28_x86_64.whl",
    ]
    document["files"] = {"3.12 linux-x86_64": {"run.lock": files}}
    (folder / "wheelhouse.json").write_text(json.dumps(document))

    with pytest.raises(wheelhouse.WheelhouseError) as other_python:
        wheelhouse.files_for(folder, {"run.lock": LOCK}, "3.11 linux-x86_64")
    with pytest.raises(wheelhouse.WheelhouseError) as other_platform:
        wheelhouse.files_for(folder, {"run.lock": LOCK}, "3.12 macos-arm64")

    assert "is for Python 3.12 on linux-x86_64; this is Python 3.11 on linux-x86_64" in str(other_python.value)
    assert "no fitting file of orjson." in str(other_python.value)
    assert "make PYTHON=python3.12 demo" in str(other_python.value)
    assert 'make wheelhouse PYTHONS="3.11" PLATFORMS="linux-x86_64"' in str(other_python.value)
    assert "no fitting file of cryptography, orjson." in str(other_platform.value)
    assert "make PYTHON=" not in str(other_platform.value)


def test_the_pins_of_another_python_and_platform(make: Any) -> None:
    """Markers are those of the Python that is downloaded for. pip would evaluate them for itself."""
    lock = "".join(
        f"{pin} \\\n    --hash=sha256:{'0' * 64}\n"
        for pin in (
            "networkx==3.6.1 ; python_full_version < '3.12'",
            "networkx==3.7 ; python_full_version >= '3.12'",
            "pywin32==312 ; sys_platform == 'win32'",
            "uvloop==0.23.0 ; sys_platform != 'win32'",
        )
    )

    def names(target: str) -> list[str]:
        return [f"{each.name}{each.specifier}" for each, _ in make.requirements(lock, target)]

    assert names("3.11 linux-x86_64") == ["networkx==3.6.1", "uvloop==0.23.0"]
    assert names("3.12 macos-arm64") == ["networkx==3.7", "uvloop==0.23.0"]


def test_every_pin_of_the_locks_is_read(make: Any) -> None:
    """No package of the real locks is left out for the form of its entry."""
    for names in make.LOCKS.values():
        for name in names:
            text = (ROOT / name).read_text()
            unmarked = [line for line in text.splitlines() if "==" in line and " ; " not in line]
            found = [str(each) for each, _ in make.requirements(text, "3.11 linux-x86_64") if each.marker is None]
            assert found == [line.strip(" \\") for line in unmarked]


def test_it_installs_without_a_network(tmp_path: Path, wheelhouse: Any) -> None:
    """install.py installs from the wheelhouse alone: with its pip, no index, and the lock's hashes."""
    (tmp_path / "offline").mkdir()
    for name in ("install.py", "offline/wheelhouse.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    cup = wheel("cup", "1.0", {"cup.py": b""})
    files = {f"pip-{pip.__version__}-py3-none-any.whl": pip_wheel(), "cup-1.0-py3-none-any.whl": cup}
    lock = f"cup==1.0 \\\n    --hash=sha256:{hashlib.sha256(cup).hexdigest()}\n"
    (tmp_path / "requirements-dev.lock").write_text(lock)
    write_wheelhouse(tmp_path / "wheelhouse", files, {"requirements-dev.lock": lock}, wheelhouse)
    venv.create(tmp_path / ".venv", with_pip=False, symlinks=True)
    nowhere = {"PATH": "", "HOME": str(tmp_path), "PIP_INDEX_URL": "http://127.0.0.1:9/", "PIP_CONFIG_FILE": os.devnull}

    done = subprocess.run(
        [sys.executable, "install.py", "dev"], cwd=tmp_path, env=nowhere, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "alone" in done.stdout
    assert list((tmp_path / ".venv").glob("lib/*/site-packages/cup.py"))


def test_the_archive_is_a_clone_with_the_wheelhouse(
    tmp_path: Path, folder: Path, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has what is committed, readable by all, with the time of the commit, and the wheelhouse in its place."""
    archive = importlib.import_module("offline.archive")
    root = tmp_path / "a clone"
    git = ["git", "-C", str(root), "-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
    subprocess.run(["git", "init", "--quiet", str(root)], check=True)
    (root / "Makefile").write_text("demo:\n")
    (root / "Makefile").chmod(0o600)
    subprocess.run([*git, "add", "."], check=True)
    dates = {"GIT_AUTHOR_DATE": "1700000000 +0000", "GIT_COMMITTER_DATE": "1700000000 +0000"}
    subprocess.run([*git, "commit", "--quiet", "-m", "A cup"], check=True, env=os.environ | dates)
    (root / "notes.txt").write_text("not committed")
    monkeypatch.setattr(archive, "ROOT", root)
    monkeypatch.setattr(archive, "ARCHIVE", tmp_path / "dist" / "workshop.tar")

    archive.pack(folder, [make.this_target()])

    with tarfile.open(tmp_path / "dist" / "workshop.tar") as packed:
        entries = {each.name.removeprefix("orderboard-workshop/"): each for each in packed}
        readme = packed.extractfile(entries["README.txt"])
        assert readme is not None
        assert b"cd orderboard && make demo" in readme.read()
    assert {"orderboard/Makefile", "orderboard/wheelhouse/wheelhouse.json", "orderboard/.git/HEAD"} <= entries.keys()
    assert "orderboard/notes.txt" not in entries
    assert {(each.uid, each.mtime) for each in entries.values()} == {(0, 1_700_000_000)}
    assert all(each.mode & 0o044 == 0o044 for each in entries.values())
    assert [each.name for each in (tmp_path / "dist").iterdir()] == ["workshop.tar"]


def wheel(name: str, version: str, modules: dict[str, bytes]) -> bytes:
    """A wheel of these modules."""
    info = f"{name}-{version}.dist-info"
    content = modules | {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in (*content, f"{info}/RECORD"))
    with zipfile.ZipFile(buffer := io.BytesIO(), "w") as archive:
        for path, text in (content | {f"{info}/RECORD": record.encode()}).items():
            archive.writestr(path, text)
    return buffer.getvalue()


def pip_wheel() -> bytes:
    """The pip of this environment as a wheel, from which it runs; compiled as far as it is here, for speed."""
    package = Path(pip.__file__).parent
    modules: dict[str, bytes] = {}
    for path in package.rglob("*"):
        if path.is_file() and path.suffix != ".pyc":
            name = path.relative_to(package.parent)
            compiled = Path(importlib.util.cache_from_source(str(path)))
            known = path.suffix == ".py" and compiled.exists()
            modules[str(name.with_suffix(".pyc") if known else name)] = (compiled if known else path).read_bytes()
    return wheel("pip", pip.__version__, modules)
