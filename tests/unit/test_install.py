"""install.py, which `make` sets up .venv with."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

INSTALL = Path(__file__).parents[2] / "install.py"


def test_without_a_package_index_one_sentence_says_so_at_once() -> None:
    """The check of an index that does not answer ends without retries and names the two settings that help."""
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_EXTRA_INDEX_URL": "", "PIP_CONFIG_FILE": os.devnull}
    program = "import install; install._check_index(install._pip(), 'a-package-that-is-not-installed==1.0', False)"

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


def test_every_distribution_is_installed() -> None:
    """A distribution that is added to the repository is installed without being listed anywhere."""
    spec = importlib.util.spec_from_file_location("install", INSTALL)
    assert spec is not None
    assert spec.loader is not None
    install = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(install)

    found = {path.parent for path in INSTALL.parent.rglob("src/*/__init__.py")}
    assert {path.parents[1] for path in found} == set(install.PACKAGES)
