"""Saves of MiniStack's state: before which answers, and the answer when one fails."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from orderboard_stack import kept_state
from orderboard_stack.kept_state import _KeptState

Answer = tuple[int, int]


class Saves:
    """Counts saves, which fail while `works` is False; a stack is in progress while `in_progress` is True."""

    def __init__(self) -> None:
        self.count = 0
        self.works = True
        self.in_progress = False


@pytest.fixture
def saves(monkeypatch: pytest.MonkeyPatch) -> Saves:
    """The saves of this test, in place of those of MiniStack."""
    found = Saves()

    def save(_: _KeptState) -> bool:
        found.count += 1
        return found.works

    monkeypatch.setattr(_KeptState, "_save", save)
    monkeypatch.setattr(kept_state, "_stack_in_progress", lambda: found.in_progress)
    return found


@pytest.fixture
def ask(saves: Saves) -> Callable[..., Any]:
    """Send a request; return the status and the number of saves before it."""

    async def serve(_: Mapping[str, Any], receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})

    app = _KeptState(serve, {})

    async def request(method: str, path: str = "/", target: str = "", body: str = "") -> Answer:
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body.encode()}

        async def send(message: Any) -> None:
            sent.append((message, saves.count))

        headers = [(b"x-amz-target", target.encode())] if target else []
        await app({"type": "http", "method": method, "path": path, "headers": headers}, receive, send)
        assert len(sent) == 2
        (start, before), _ = sent
        return start["status"], before

    return request


async def test_a_change_is_saved_before_its_answer(ask: Callable[..., Any]) -> None:
    """By method, by the action of a form, and by the target of a JSON request."""
    assert await ask("PUT", "/menu/tea") == (200, 1)
    assert await ask("POST", body="Action=CreateRole&Version=2010-05-08") == (200, 2)
    assert await ask("POST", target="Logs_20140328.CreateLogGroup") == (200, 3)
    assert await ask("PUT", "/menu/tea", body="an object&Action=DescribeStacks") == (200, 4)


async def test_what_changes_nothing_that_is_kept_is_not_saved(ask: Callable[..., Any]) -> None:
    """Reads, invocations, and what localbus has itself."""
    await ask("GET", "/menu/tea")
    await ask("POST", "/2015-03-31/functions/notifier/invocations")
    await ask("POST", body="Version=2010-05-15&Action=DescribeStacks")
    await ask("POST", target="AmazonSSM.GetParameter")
    assert await ask("POST", target="AmazonSQS.ReceiveMessage") == (200, 0)


async def test_the_end_of_a_stack_is_saved_before_it_is_shown(ask: Callable[..., Any], saves: Saves) -> None:
    """Its resources are made after the answer to the request for it; reads meanwhile save nothing."""
    saves.in_progress = True
    await ask("POST", body="Action=CreateStack")
    assert await ask("POST", body="Action=DescribeStacks") == (200, 1)

    saves.in_progress = False

    assert await ask("POST", body="Action=DescribeStacks") == (200, 2)
    assert await ask("POST", body="Action=DescribeStacks") == (200, 2)


async def test_a_change_that_cannot_be_saved_is_not_acknowledged(ask: Callable[..., Any], saves: Saves) -> None:
    """Its answer is 503 until there is room on the disk, and so is what a stack shows; functions go on."""
    saves.works = False
    assert await ask("PUT", "/menu/tea") == (503, 1)
    assert await ask("POST", body="Action=DescribeStacks") == (503, 2)
    assert await ask("POST", "/2015-03-31/functions/notifier/invocations") == (200, 2)

    saves.works = True

    assert await ask("POST", body="Action=DescribeStacks") == (200, 3)
    assert await ask("POST", body="Action=DescribeStacks") == (200, 3)


def test_a_service_that_ministack_cannot_write_refuses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its state ends with the process, while that of the others is saved; a disk without room is still a failure."""
    from ministack.core import persistence  # type: ignore[import-untyped]  # noqa: PLC0415 - slow, and only here

    monkeypatch.setattr(persistence, "PERSIST_STATE", True)
    monkeypatch.setattr(persistence, "STATE_DIR", str(tmp_path))
    for name, state in (("odd", {("a", "b"): 1}), ("plain", {"a": 1})):
        module = ModuleType(name)
        monkeypatch.setattr(module, "get_state", lambda state=state: state, raising=False)
        monkeypatch.setitem(sys.modules, f"ministack.services.{name}", module)
    app = _KeptState(None, {"odd": "odd", "plain": "plain"})  # type: ignore[arg-type]

    assert app._save()
    assert [file.name for file in tmp_path.iterdir()] == ["plain.json"]

    monkeypatch.setattr(persistence, "STATE_DIR", str(tmp_path / "plain.json"))
    assert not app._save()
