"""Images are named by their content, built with Docker, and pushed only if the registry lacks them."""

import os
import re
from pathlib import Path

import pytest
from orderboard.cloud import images
from orderboard.cloud.images import Image, check_docker, docker
from orderboard.errors import RigError

ROOT = Path(__file__).parents[4]


def repository(root: Path) -> Path:
    """A clone with a service of two files."""
    folder = root / "services" / "worker"
    (folder / "src" / "__pycache__").mkdir(parents=True)
    (folder / "Dockerfile").write_text(
        "FROM a AS build\nCOPY services/worker services/worker\nCOPY --from=build /a /a\n"
    )
    (folder / "src" / "worker.py").write_text("1")
    return folder


def test_a_tag_follows_from_the_content(tmp_path: Path) -> None:
    """Each copied file, the Dockerfile and the architecture count; what Python compiles does not."""
    folder = repository(tmp_path)
    first = Image("worker", tmp_path, "x86-64").tag()

    (folder / "src" / "__pycache__" / "worker.pyc").write_text("compiled")
    assert Image("worker", tmp_path, "x86-64").tag() == first
    assert Image("worker", tmp_path, "arm64").tag() != first
    (folder / "src" / "worker.py").write_text("2")
    assert (second := Image("worker", tmp_path, "x86-64").tag()) != first
    (folder / "Dockerfile").write_text((folder / "Dockerfile").read_text() + "USER 1\n")
    assert Image("worker", tmp_path, "x86-64").tag() != second


@pytest.mark.parametrize("service", ["order-api", "worker"])
def test_the_services_images_have_valid_tags(service: str) -> None:
    """The real Dockerfiles name files that exist, and services.yaml takes the tag."""
    assert re.fullmatch(r"[0-9a-f]{32}", Image(service, ROOT, "x86-64").tag())


def script(folder: Path, text: str) -> None:
    """A command `docker` in this folder."""
    path = folder / "docker"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_docker_is_missing_or_does_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line with the fix each; a Docker that answers passes."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RigError, match="command `docker` is missing"):
        check_docker()

    script(tmp_path, "echo 'Cannot connect to the Docker daemon.' >&2; exit 1")
    with pytest.raises(RigError, match=r"does not run: Cannot connect to the Docker daemon\. Start it"):
        check_docker()

    script(tmp_path, "echo 28.1")
    check_docker()


def test_a_failed_command_shows_the_end_of_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command, its exit code, and what it printed last; a password goes to its input and not to the log."""
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    script(tmp_path, "read given; [ \"$given\" = secret ] && exit 0; echo 'no space left on device'; exit 3")
    run = docker(tmp_path / "log")

    run(["docker", "login", "--password-stdin", "host"], "secret")
    with pytest.raises(RigError, match=r"(?s)`docker build .` failed with exit code 3.*no space left on device"):
        run(["docker", "build", "."], "\n")

    assert "secret" not in (tmp_path / "log").read_text()


def test_only_the_sources_of_dockerfiles_count() -> None:
    """COPY from another stage does not count."""
    assert images._COPIED.findall("COPY a b /src/\nCOPY --from=build /x /x\n") == ["a b"]
