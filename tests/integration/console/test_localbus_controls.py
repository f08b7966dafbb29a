"""The console's fault controls and journal on a running localbus."""

import shlex
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError
from localbus.pytest_plugin import Localbus as Server
from orderboard.cli.app import app
from orderboard.console import requests
from orderboard.console.controls import Control
from orderboard.console.fault_controls import PRESETS, FaultControls
from orderboard.errors import UsageError
from orderboard.system import localbus as developer_api
from orderboard.system.localbus import Localbus
from orderboard_stack.backend import Endpoint
from typer.testing import CliRunner


@pytest.fixture
def engine(localbus: Server) -> Iterator[Localbus]:
    """The developer API of a new localbus with a manual clock."""
    found = developer_api.find(Endpoint("embedded", localbus.url))
    assert found is not None
    yield found
    found.close()


@pytest.fixture
def faults(engine: Localbus) -> FaultControls:
    """Fault controls of that localbus."""
    return FaultControls(lambda: engine, ("--endpoint-url", engine.url))


def _run(command: str) -> None:
    """Run the command that a control shows, without the path of `orderboard`."""
    words = shlex.split(command)
    done = CliRunner().invoke(app, words[next(n for n, word in enumerate(words) if word.endswith("orderboard")) + 1 :])
    assert done.exit_code == 0, done.stderr


def _controls(faults: FaultControls) -> dict[str, Control]:
    faults.refresh()
    return faults.document("embedded")[1]


def test_the_journal_is_read_by_message_and_by_queue(localbus: Server, engine: Localbus) -> None:
    """Entries are found by message id and by queue name; `last` limits them to the newest."""
    sqs = localbus.client("sqs")
    url = sqs.create_queue(QueueName="orderboard-work")["QueueUrl"]
    first = sqs.send_message(QueueUrl=url, MessageBody="one")["MessageId"]
    sqs.receive_message(QueueUrl=url)
    second = sqs.send_message(QueueUrl=url, MessageBody="two")["MessageId"]

    assert [each.event for each in engine.of_message(first)] == ["sent", "received"]
    assert [each.message_id for each in engine.entries(last=2, resource="orderboard-work")] == [first, second]
    assert engine.entries(last=5, resource="another") == []


def test_a_fault_is_injected_shown_and_removed(localbus: Server, faults: FaultControls) -> None:
    """A throttled action fails as on AWS, the page shows the rule, and removing it ends the failures."""
    sqs = localbus.client("sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    rule = requests.Fault(action="ReceiveMessage", kind="throttle", probability=1)
    faults.set_faults(requests.Faults(rule=rule))

    with pytest.raises(ClientError, match="Throttl"):
        sqs.receive_message(QueueUrl=url)
    faults.refresh()
    settings, _ = faults.document("embedded")
    assert settings is not None
    assert settings["faults"][0]["kind"] == "throttle"

    faults.set_faults(requests.Faults())
    assert "Messages" not in sqs.receive_message(QueueUrl=url)


@pytest.mark.parametrize(
    "rule",
    [
        requests.Fault(action="ReceiveMessage", kind="latency", probability=0.5, latency_ms=300),
        requests.Fault(action="*", kind="error_after", probability=0.1),
        None,
    ],
)
def test_the_command_of_a_fault_has_the_same_effect(
    engine: Localbus, faults: FaultControls, rule: requests.Fault | None
) -> None:
    """Run in place of the control, it leaves localbus with the same rules."""
    command = faults.set_faults(requests.Faults(rule=rule)).command
    wanted = engine.get(developer_api.FAULTS)
    engine.change("PUT", developer_api.FAULTS, {"rules": [{"action": "*", "kind": "drop", "probability": 0}]})

    _run(command)

    assert engine.get(developer_api.FAULTS) == wanted


def test_a_manual_clock_is_advanced(engine: Localbus, faults: FaultControls) -> None:
    """The control is available because the clock is manual, and advances it by the given seconds."""
    before = engine.now()

    assert _controls(faults)["clock"].reason is None
    command = faults.advance_clock(requests.Advance(advance_s=300)).command
    assert engine.now() == before + 300

    _run(command)
    assert engine.now() == before + 600


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_of_delivery_faults_is_set_and_shown(faults: FaultControls, preset: requests.DeliveryPreset) -> None:
    """localbus then reports the shares of the preset, whether the control or its command sets them."""
    command = faults.set_delivery(requests.DeliveryFaults(preset=preset)).command
    faults.set_delivery(requests.DeliveryFaults(preset="none"))
    _run(command)
    faults.refresh()

    settings, controls = faults.document("embedded")
    assert settings is not None
    assert {name: share for name, share in settings["delivery"].items() if share} == dict(PRESETS[preset])
    assert controls["delivery-faults"].reason is None


def test_other_backends_have_no_fault_controls() -> None:
    """On another backend each of these controls is unavailable with the reason that only localbus has it."""
    faults = FaultControls(lambda: None)

    settings, controls = faults.document("localstack")

    assert settings is None
    assert {"delivery-faults", "faults", "clock"} == set(controls)
    assert all("Only localbus" in str(control.reason) for control in controls.values())
    with pytest.raises(UsageError):
        faults.set_delivery(requests.DeliveryFaults(preset="duplicates"))


def test_localbus_is_found_only_where_it_runs() -> None:
    """An address where nothing answers has none; AWS is not even asked."""
    assert developer_api.find(Endpoint("embedded", "http://127.0.0.1:1")) is None
    assert developer_api.find(Endpoint("aws", None)) is None
