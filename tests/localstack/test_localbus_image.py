"""localbus's image, by the compose.yaml of docs/use-localbus.md."""

import json
from pathlib import Path

import pytest
from clients.page import files
from localstack.compose import require_compose, run_service
from localstack.engine import PYTHON_IMAGE, require
from orderboard_stack.process import free_port


@pytest.mark.timeout(900)  # the image may have to be built from nothing
def test_an_application_finds_the_stack_of_its_template(tmp_path: Path) -> None:
    """The application starts once the queues are there. The image runs without root, and ends in order when stopped."""
    require(PYTHON_IMAGE)
    require_compose()
    for name in ("compose.yaml", "infra/shop.yaml"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(files()[name].replace("127.0.0.1:4566", f"127.0.0.1:{free_port()}"))
    (tmp_path / "order-board").symlink_to(Path(__file__).parents[2])

    output, [localbus] = run_service(tmp_path, "app")

    queues = json.loads(output)["queues"]
    assert [queue["name"] for queue in queues] == ["dead", "work"]
    assert localbus["Config"]["User"] == "10001:10001"
    assert localbus["State"]["ExitCode"] == 0
