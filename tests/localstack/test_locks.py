"""The locks of the images; no Docker needed."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;]+)", re.MULTILINE)
LOCKS = {
    "requirements-build.lock": [],
    "services/order-api/requirements.lock": ["services/order-api"],
    "services/worker/requirements.lock": ["services/worker"],
    "localstack/requirements.lock": ["localstack", "services/notifier"],
}


@pytest.mark.parametrize("lock", LOCKS)
def test_an_image_has_the_versions_that_were_tested(lock: str) -> None:
    """Every pin of an image's lock, hashes included, is one that .venv is installed from."""
    of_image = (ROOT / lock).read_text()
    of_project = "".join((ROOT / name).read_text() for name in ("requirements-build.lock", "requirements.lock"))

    assert pins(of_image).items() <= pins(of_project).items(), "run `make lock`"
    assert hashes(of_image) <= hashes(of_project)


@pytest.mark.parametrize("lock", LOCKS)
def test_an_image_has_all_that_its_packages_declare(lock: str) -> None:
    """A dependency that was added to a package is in the lock: `make lock` was run."""
    pinned = pins((ROOT / lock).read_text())

    for package in LOCKS[lock]:
        declared = tomllib.loads((ROOT / package / "pyproject.toml").read_text())["project"]["dependencies"]
        names = {re.split(r"[^A-Za-z0-9._-]", each)[0] for each in declared}
        assert {name for name in names if not name.startswith("orderboard-")} <= pinned.keys(), "run `make lock`"


def pins(lock: str) -> dict[str, str]:
    """The versions by name."""
    return dict(PIN.findall(lock))


def hashes(lock: str) -> set[str]:
    """All hashes of a lock."""
    return set(re.findall(r"sha256:[0-9a-f]{64}", lock))
