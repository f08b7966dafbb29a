"""The Docker engine: whether it and the images are there (and what to install if not), and its containers by name."""

import gc
import os
import warnings
from functools import cache
from typing import Any, Final

import docker
import pytest
from docker.errors import DockerException, ImageNotFound, NotFound

LOCALSTACK_IMAGE: Final = os.environ.get("ORDERBOARD_LOCALSTACK_IMAGE") or "localstack/localstack:4.14.0"
LAMBDA_IMAGE: Final = "public.ecr.aws/lambda/python:3.13"  # LocalStack runs a python3.13 function in it
PYTHON_IMAGE: Final = "python:3.13-slim"  # what the Dockerfiles build on


def require(*images: str) -> None:
    """Skip the test when an engine or an image is missing; with ORDERBOARD_REQUIRE_DOCKER=1 fail instead."""
    refuse(why_not(*images))


def refuse(reason: str | None) -> None:
    """Skip the test for this reason, if there is one; with ORDERBOARD_REQUIRE_DOCKER=1 fail instead."""
    if reason is None:
        return
    if os.environ.get("ORDERBOARD_REQUIRE_DOCKER") == "1":
        pytest.fail(f"{reason} (ORDERBOARD_REQUIRE_DOCKER=1 makes this a failure)", pytrace=False)
    pytest.skip(reason)


@cache
def why_not(*images: str) -> str | None:
    """Pull missing images; return None if all are here, else what is missing and the fix."""
    client = _engine()
    if client is None:
        return "no Docker engine answers: install Docker Engine or Docker Desktop and start it, or set DOCKER_HOST"
    try:
        for image in images:
            reason = _image_is_missing(client, image)
            if reason is not None:
                return reason
    finally:
        client.close()
    return None


def _engine() -> Any | None:
    with warnings.catch_warnings():
        # Where nobody answers the SDK drops its socket unclosed, which pytest would blame on whichever test is next.
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            return docker.from_env()
        except DockerException:
            pass
        gc.collect()
    return None


def _image_is_missing(client: Any, image: str) -> str | None:
    try:
        client.images.get(image)
    except ImageNotFound:
        try:
            client.images.pull(image)
        except DockerException as exc:
            return f"the image {image} is not here and cannot be pulled: check the network or `docker load` it ({exc})"
    return None


def container_names(prefix: str) -> list[str]:
    """The names of all containers, running or not, that begin like this."""
    client = docker.from_env()
    try:
        found = client.api.containers(all=True, filters={"name": f"^/{prefix}"})
    finally:
        client.close()
    return sorted(name.removeprefix("/") for each in found for name in each["Names"])


def remove_containers(prefix: str) -> None:
    """Remove all containers whose names begin like this, whatever they do."""
    client = docker.from_env()
    try:
        for name in container_names(prefix):
            try:
                client.api.remove_container(name, force=True, v=True)
            except NotFound:
                continue
    finally:
        client.close()


def docker_socket() -> str:
    """The engine's socket on this machine, for containers that start containers."""
    host = os.environ.get("DOCKER_HOST", "")
    return host.removeprefix("unix://") if host.startswith("unix://") else "/var/run/docker.sock"
