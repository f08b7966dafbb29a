"""The console's knobs and journal on a localbus that runs: what they ask for there happens, and is shown."""

from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError
from localbus.pytest_plugin import Localbus
from orderboard.console.disturbances import DISORDERS, Disturbances
from orderboard.console.knobs import Knob
from orderboard.errors import UsageError
from orderboard.system import localbus as doors
from orderboard_stack.backend import Endpoint


@pytest.fixture
def engine(localbus: Localbus) -> Iterator[doors.Localbus]:
    """The doors of a fresh localbus with a manual clock."""
    found = doors.find(Endpoint("embedded", localbus.url))
    assert found is not None
    yield found
    found.close()


@pytest.fixture
def disturbances(engine: doors.Localbus) -> Disturbances:
    """The knobs, with the localbus that they turn."""
    return Disturbances(lambda: engine)


def _knobs(disturbances: Disturbances) -> dict[str, Knob]:
    disturbances.look()
    return disturbances.document("embedded")[1]


def test_the_journal_is_read_by_message_and_by_queue(localbus: Localbus, engine: doors.Localbus) -> None:
    """What happened to a message is found by its id; a queue by its name; of many entries the last."""
    sqs = localbus.client("sqs")
    url = sqs.create_queue(QueueName="orderboard-work")["QueueUrl"]
    first = sqs.send_message(QueueUrl=url, MessageBody="one")["MessageId"]
    sqs.receive_message(QueueUrl=url)
    second = sqs.send_message(QueueUrl=url, MessageBody="two")["MessageId"]

    assert [each.event for each in engine.of_message(first)] == ["sent", "received"]
    assert [each.message_id for each in engine.entries(last=2, resource="orderboard-work")] == [first, second]
    assert engine.entries(last=5, resource="another") == []


def test_a_fault_is_asked_for_shown_and_taken_back(localbus: Localbus, disturbances: Disturbances) -> None:
    """A throttled action fails as AWS would let it, the page shows the rule, and `No faults` ends it."""
    sqs = localbus.client("sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    turned = disturbances.faults({"action": "ReceiveMessage", "kind": "throttle", "probability": 1})

    with pytest.raises(ClientError, match="Throttl"):
        sqs.receive_message(QueueUrl=url)
    disturbances.look()
    condition, _ = disturbances.document("embedded")
    assert condition is not None
    assert condition["faults"][0]["kind"] == "throttle"
    assert turned.command.startswith(f"curl -X PUT {localbus.url}/_localbus/faults --json ")

    disturbances.faults({})
    assert "Messages" not in sqs.receive_message(QueueUrl=url)


def test_a_manual_clock_is_moved(engine: doors.Localbus, disturbances: Disturbances) -> None:
    """Time passes by as much as was pressed; the knob is there only because the clock is turned by hand."""
    before = engine.now()

    assert _knobs(disturbances)["clock"].reason is None
    disturbances.clock({"advance_s": 300})

    assert engine.now() == before + 300


@pytest.mark.parametrize("preset", DISORDERS)
def test_disorder_is_asked_for_and_shown(engine: doors.Localbus, disturbances: Disturbances, preset: str) -> None:
    """Each preset is what localbus then says that it does."""
    disturbances.disorder({"preset": preset})
    disturbances.look()

    condition, knobs = disturbances.document("embedded")
    assert condition is not None
    assert {name: share for name, share in condition["disorder"].items() if share} == dict(DISORDERS[preset])
    assert knobs["disorder"].reason is None


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "obliterate", "action": "*", "probability": 1},
        {"kind": "throttle", "action": "*", "probability": 2},
        {"kind": "latency", "action": "*", "probability": 1},
        {"kind": "throttle", "action": "DropTable", "probability": 1},
    ],
)
def test_what_is_no_fault_is_refused(
    engine: doors.Localbus, disturbances: Disturbances, body: dict[str, object]
) -> None:
    """A fault that makes no sense is told so, and none is asked for."""
    with pytest.raises(UsageError):
        disturbances.faults(body)

    assert (engine.get(doors.FAULTS) or {})["rules"] == []


def test_other_backends_have_no_such_knobs() -> None:
    """Where another engine answers, each of these knobs is grey and says that only localbus has it."""
    disturbances = Disturbances(lambda: None)

    condition, knobs = disturbances.document("localstack")

    assert condition is None
    assert {"disorder", "faults", "clock"} == set(knobs)
    assert all("Only localbus" in str(knob.reason) for knob in knobs.values())
    with pytest.raises(UsageError):
        disturbances.disorder({"preset": "duplicates"})


def test_where_nothing_answers_is_no_localbus() -> None:
    """Neither is AWS, which is not even asked."""
    assert doors.find(Endpoint("embedded", "http://127.0.0.1:1")) is None
    assert doors.find(Endpoint("aws", None)) is None
