"""install.py, which `make` sets up .venv with."""

import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

INSTALL = Path(__file__).parents[2] / "install.py"


def test_without_a_package_index_one_sentence_says_so_at_once() -> None:
    """The check of an index that does not answer ends without retries and names the two settings that help."""
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_EXTRA_INDEX_URL": "", "PIP_CONFIG_FILE": os.devnull}
    program = (
        "import install as i; i.check_index(i.pip_command(), 'a-package-that-is-not-installed==1.0', uses_uv=False)"
    )

    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=INSTALL.parent,
        env={**os.environ, **nowhere},
        capture_output=True,
        text=True,
        check=False,
    )

    assert "No package index offers a-package-that-is-not-installed==1.0" in done.stderr
    assert "PIP_INDEX_URL" in done.stderr
    assert "Retrying" not in done.stderr


def test_every_distribution_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A distribution that is added to the repository is installed without being listed anywhere."""
    monkeypatch.syspath_prepend(str(INSTALL.parent))
    install = importlib.import_module("install")

    found = {path.parent for path in INSTALL.parent.rglob("src/*/__init__.py")}
    assert {path.parents[1] for path in found} == set(install.PACKAGES)


def test_a_venv_that_was_moved_with_its_clone_is_set_up_again(tmp_path: Path) -> None:
    """Its commands name the Python of the old place. One in its place, and whose Python runs, is left alone."""
    for name in ("Makefile", "install.py", "requirements.lock", "requirements-build.lock"):
        shutil.copy(INSTALL.parent / name, tmp_path)
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / ".venv/bin").mkdir(parents=True)
    python, command = tmp_path / ".venv/bin/python", tmp_path / ".venv/bin/orderboard"

    def is_set_up_again() -> bool:
        (tmp_path / ".venv/.ready").touch()
        done = subprocess.run(["make", "-n", "install"], cwd=tmp_path, capture_output=True, text=True, check=True)
        return "install.py run" in done.stdout

    python.symlink_to(sys.executable)
    command.write_text(f"#!{python}\n")
    assert not is_set_up_again()
    command.write_text("#!/elsewhere/.venv/bin/python\n")
    assert is_set_up_again()
    command.write_text(f"#!{python}\n")
    python.unlink()
    assert is_set_up_again()
