"""schemathesis against the running process, with all its checks; each request and response is in its HAR report."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from fuzz.order_api.connection import Request, Response

_HERE: Final = Path(__file__).parent
_OPTIONS: Final = (
    *("--checks", "all", "--workers", "1", "--no-color", "--suppress-health-check", "all", "--request-timeout", "10"),
    *("--report", "har", "--report-preserve-bytes", "--output-sanitize", "false"),
)


def exchanges(api_url: str, seed: int, examples: int, faults: list[str]) -> Iterator[tuple[Request, Response]]:
    """Run so many examples of each operation, and yield what was sent and answered."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.har"
        run = subprocess.run(
            [
                *(Path(sys.executable).with_name("schemathesis"), "--config-file", _HERE / "schemathesis.toml", "run"),
                *(f"{api_url}/openapi.json", "--max-examples", str(examples), "--seed", str(seed)),
                *(*_OPTIONS, "--report-har-path", report),
            ],
            env={**os.environ, "SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(_HERE)},
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if run.returncode:
            faults.append(f"schemathesis --seed {seed} --max-examples {examples}\n{run.stdout[-4000:]}{run.stderr}")
        entries = json.loads(report.read_text())["log"]["entries"] if report.exists() else []
    for entry in entries:
        yield _request(entry["request"]), _response(entry["response"])


def _request(entry: dict[str, Any]) -> Request:
    target = "/" + entry["url"].split("/", 3)[3]
    headers = tuple((each["name"].encode(), each["value"].encode("latin-1", "replace")) for each in entry["headers"])
    return Request(
        entry["method"], target.encode(), headers, base64.b64decode(entry.get("postData", {}).get("text", ""))
    )


def _response(entry: dict[str, Any]) -> Response:
    headers = {each["name"].lower(): each["value"] for each in entry["headers"]}
    return Response(entry["status"], headers, base64.b64decode(entry["content"].get("text", "")))
