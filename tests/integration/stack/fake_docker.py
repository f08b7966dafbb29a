"""Docker without an engine: a push puts a manifest into the registry, as `docker push` does in the end."""

import base64
import json
from typing import Any


class FakeDocker:
    """A Run of orderboard.cloud.images that records its commands and what it read."""

    def __init__(self, ecr: Any) -> None:
        self._ecr = ecr
        token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
        self.password = base64.b64decode(token).decode().partition(":")[2]
        self.commands: list[list[str]] = []
        self.given: list[str] = []

    def __call__(self, command: list[str], given: str | None) -> None:
        """Run a command."""
        self.commands.append(command)
        self.given.append(given or "")
        if command[1] == "push":
            repository, _, tag = command[2].split("/", 1)[1].partition(":")
            manifest = json.dumps({"schemaVersion": 2, "config": {"digest": f"sha256:{tag}"}, "layers": []})
            self._ecr.put_image(repositoryName=repository, imageTag=tag, imageManifest=manifest)
