"""Lambda's entry point: the settings it needs, and the time at which it reads them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, cast

import pytest
from notifier import handler
from notifier.settings import Settings, SettingsError
from unit.notifier.events import cancelled
from unit.notifier.fakes import TOPIC_ARN, FakeContext, bus_message, failed_ids, sqs_batch

ENVIRONMENT = {
    "ORDERBOARD_ALERTS_TOPIC_ARN": TOPIC_ARN,
    "ORDERBOARD_NOTIFIER_IDEMPOTENCY_TABLE": "cafe-notifier-idempotency",
    "AWS_DEFAULT_REGION": "eu-central-1",
}


@pytest.fixture(autouse=True)
def _fresh_wiring() -> Iterator[None]:
    """Each test configures the handler from its own environment."""
    handler._notifier.cache_clear()
    yield
    handler._notifier.cache_clear()


def test_import_needs_no_environment() -> None:
    """The module can be imported without settings, region or credentials: nothing is read before the first batch."""
    code = "import notifier.handler, sys; sys.exit(notifier.handler._notifier.cache_info().currsize)"

    done = subprocess.run([sys.executable, "-c", code], env={"PATH": os.defpath}, check=False, capture_output=True)

    assert done.returncode == 0, done.stderr.decode()


def test_first_batch_reads_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the function's environment set, a batch is handled, and clients and settings are kept for the next."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)

    for _ in range(2):
        response = handler.handle(sqs_batch([bus_message(cancelled()), "{"]), cast("Any", FakeContext()))
        assert failed_ids(response) == ["m1"]

    assert handler._notifier.cache_info().misses == 1


def test_missing_settings_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A function that was deployed without its settings names the missing ones."""
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)

    with pytest.raises(SettingsError, match=r"ORDERBOARD_ALERTS_TOPIC_ARN.*ORDERBOARD_NOTIFIER_IDEMPOTENCY_TABLE"):
        handler.handle(sqs_batch([]), cast("Any", FakeContext()))


def test_topic_must_be_a_topic() -> None:
    """The ARN of a queue in place of a topic is rejected before the first message."""
    with pytest.raises(SettingsError, match="ORDERBOARD_ALERTS_TOPIC_ARN"):
        Settings.from_environment(ENVIRONMENT | {"ORDERBOARD_ALERTS_TOPIC_ARN": "arn:aws:sqs:eu-central-1:1:inbox"})
