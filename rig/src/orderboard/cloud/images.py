"""The services' images: built with Docker, named by their content, pushed to the account's registry."""

import base64
import hashlib
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import ClientError
from orderboard_stack.process import tail

from orderboard.errors import RigError

_COPIED: Final = re.compile(r"^COPY (?!--from)(.+) \S+$", re.MULTILINE)
_PLATFORMS: Final = {"x86-64": "linux/amd64", "arm64": "linux/arm64"}
_ANSWERS_WITHIN_S: Final = 20
_INSTALL: Final = (
    "Install Docker Engine or Docker Desktop, or push the images elsewhere and deploy deploy/*.yaml by hand."
)

Run = Callable[[list[str], str | None], None]  # a command, and its standard input; raises RigError


def check_docker() -> None:
    """Raise RigError, with the fix, unless Docker can build."""
    if shutil.which("docker") is None:
        raise RigError(f"The images are built with Docker, and the command `docker` is missing. {_INSTALL}")
    try:
        found = subprocess.run(
            ["docker", "version", "--format", "{{.Server.Version}}"],
            capture_output=True,
            text=True,
            timeout=_ANSWERS_WITHIN_S,
            check=False,
        )
    except subprocess.TimeoutExpired as exc:
        raise RigError(f"Docker does not answer within {_ANSWERS_WITHIN_S} s. Restart it.") from exc
    if found.returncode != 0:
        reason = (found.stderr.strip().splitlines() or ["it does not answer"])[-1]
        raise RigError(f"The images are built with Docker, which does not run: {reason} Start it, then run this again.")


def docker(log: Path) -> Run:
    """Return a Run that writes what the commands print to a log."""

    def run(command: list[str], given: str | None) -> None:
        with log.open("a") as out:
            out.write(f"$ {' '.join(command)}\n")
            out.flush()
            ended = subprocess.run(command, input=given, text=True, stdout=out, stderr=subprocess.STDOUT, check=False)
        if ended.returncode != 0:
            raise RigError(f"`{' '.join(command[:3])}` failed with exit code {ended.returncode}. {tail(log)}")

    return run


@dataclass(frozen=True)
class Image:
    """An image of a service."""

    service: str  # order-api or worker
    root: Path
    architecture: str

    @property
    def dockerfile(self) -> Path:
        """The service's Dockerfile."""
        return self.root / "services" / self.service / "Dockerfile"

    def tag(self) -> str:
        """Return a tag that follows from what the image is built of: equal content is not built again."""
        found = hashlib.sha256(self.architecture.encode())
        for path in (self.dockerfile, *self._files()):
            found.update(f"\0{path.relative_to(self.root)}\0".encode())
            found.update(path.read_bytes())
        return found.hexdigest()[:32]

    def _files(self) -> Iterator[Path]:
        sources = " ".join(_COPIED.findall(self.dockerfile.read_text())).split()
        for path in sorted(self.root / source for source in sources):
            within = sorted(path.rglob("*")) if path.is_dir() else [path]
            yield from (each for each in within if each.is_file() and not _is_built(each))

    def build(self, uri: str, run: Run) -> None:
        """Build it for the architecture of the tasks."""
        platform = _PLATFORMS[self.architecture]
        where = ["--file", str(self.dockerfile), str(self.root)]
        run(["docker", "build", "--platform", platform, "--tag", uri, *where], None)


def _is_built(path: Path) -> bool:
    return "__pycache__" in path.parts or any(part.endswith(".egg-info") for part in path.parts)


class Registry:
    """The account's registry."""

    def __init__(self, ecr: Any, run: Run) -> None:
        self._ecr, self._run = ecr, run

    def digest(self, repository: str, tag: str) -> str | None:
        """The digest of an image, None if it is not there."""
        try:
            found = self._ecr.describe_images(repositoryName=repository, imageIds=[{"imageTag": tag}])
        except ClientError as exc:
            if exc.response["Error"]["Code"] != "ImageNotFoundException":
                raise
            return None
        return next((str(each["imageDigest"]) for each in found["imageDetails"]), None)

    def push(self, uris: list[str]) -> None:
        """Log in for the time of the push: the token that Docker keeps is removed again."""
        token = self._ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
        name, _, password = base64.b64decode(token).decode().partition(":")
        host = uris[0].split("/", 1)[0]
        self._run(["docker", "login", "--username", name, "--password-stdin", host], password)
        try:
            for uri in uris:
                self._run(["docker", "push", uri], None)
        finally:
            self._run(["docker", "logout", host], None)


def publish(
    images: dict[str, Image],
    repositories: dict[str, str],
    registry: Registry,
    run: Run,
    progress: Callable[[str], None],
) -> dict[str, str]:
    """Build and push what the registry lacks; return each service's image as services.yaml takes it, @sha256:DIGEST.

    repositories: the URI of each service's repository.
    """
    tags = {service: image.tag() for service, image in images.items()}
    names = {service: uri.split("/", 1)[1] for service, uri in repositories.items()}
    missing = [service for service, tag in tags.items() if registry.digest(names[service], tag) is None]
    for service in missing:
        progress(f"building {service}")
        images[service].build(f"{repositories[service]}:{tags[service]}", run)
    if missing:
        progress(f"pushing {', '.join(missing)}")
        registry.push([f"{repositories[service]}:{tags[service]}" for service in missing])
    digests = {service: registry.digest(names[service], tag) for service, tag in tags.items()}
    for service, digest in digests.items():
        if digest is None:
            raise RigError(f"The image of {service} was pushed, but {names[service]} does not have it. Run this again.")
    return {service: f"@{digest}" for service, digest in digests.items()}
