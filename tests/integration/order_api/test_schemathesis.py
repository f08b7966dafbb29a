"""schemathesis against the real process: all responses conform to the OpenAPI document."""

import asyncio
import os
import sys
from pathlib import Path

import pytest
from integration.order_api.service import ApiProcess

HERE = Path(__file__).parent


@pytest.mark.timeout(120)
async def test_the_api_is_what_its_description_says(api: ApiProcess, tmp_path: Path) -> None:
    """Valid and invalid requests, single and in sequence: no 5xx, no undocumented response, no schema violation.

    It takes seconds: 25 examples for each operation.
    """
    schemathesis = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("schemathesis"),
        *(
            "--config-file",
            str(HERE / "schemathesis.toml"),
            "run",
            f"{api.url}/openapi.json",
            "--checks",
            "all",
            "--max-examples",
            "25",
            "--seed",
            "1",
            "--workers",
            "1",
        ),
        *("--no-color", "--suppress-health-check", "all", "--request-timeout", "10"),
        env={**os.environ, "SCHEMATHESIS_HOOKS": "schemathesis_hooks", "PYTHONPATH": str(HERE)},
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(schemathesis.communicate(), timeout=90)

    assert schemathesis.returncode == 0, output.decode()
    assert api.lines("request.failed") == []
