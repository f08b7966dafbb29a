"""install.py, which `make` sets up .venv with."""

import importlib
import os
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
