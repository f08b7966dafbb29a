"""The runner of experiments on a bare localbus: its outcomes, and what it removes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from localbus.pytest_plugin import Localbus as Engine
from orderboard.lab import Experiment
from orderboard.lab.backend import LabBackend, lab_backend
from orderboard.lab.catalogue import Entry
from orderboard.lab.result import Outcome
from orderboard.lab.run import Runner
from orderboard.lab.steps import Step
from orderboard.system.localbus import DELIVERY_FAULTS, FAULTS, Localbus
from orderboard_stack.backend import Endpoint


@pytest.fixture
def api(localbus: Engine) -> Iterator[Localbus]:
    """The developer API of the engine."""
    client = Localbus(localbus.url)
    yield client
    client.close()


def experiment(*, needs: tuple[str, ...] = ()) -> Experiment:
    """An experiment without steps."""
    return Experiment("A claim.", "https://docs.aws.amazon.com/", "A consequence.", needs=needs)


def runner(
    lab: Experiment, url: str, api: Localbus | None, callback_host: str | None = "127.0.0.1", **settings: Any
) -> Runner:
    """A runner on the engine; without its developer API the engine counts as LocalStack."""
    endpoint = Endpoint("embedded" if api is not None else "localstack", url)
    backend = LabBackend(endpoint, api, callback_host)
    return Runner(Entry("sqs-any", "sqs", "Any", Path("any.py"), lab), backend, **settings)


def queues(engine: Engine) -> list[str]:
    """The URLs of the engine's queues."""
    urls: list[str] = engine.client("sqs").list_queues().get("QueueUrls", [])
    return urls


def test_an_experiment_that_holds_is_reproduced(localbus: Engine, api: Localbus) -> None:
    """An experiment whose checks all hold is reproduced, its timeline has its calls, and its queue is gone."""
    lab = experiment()
    orders = lab.queue()
    lab.actor("producer").sqs.send_message(QueueUrl=orders.url, MessageBody="flat white")
    lab.wait(30, "time passes")
    received = lab.actor("consumer").sqs.receive_message(QueueUrl=orders.url)
    lab.check("The order arrives", received.body, "flat white")

    result = runner(lab, localbus.url, api)()

    assert result.outcome is Outcome.REPRODUCED
    calls = [(each.party, each.text) for each in result.moments if each.kind == "call"]
    assert calls[1:] == [
        ("producer", "SendMessage flat white"),
        ("consumer", "ReceiveMessage: 1 message: flat white"),
    ]
    assert [(each.party, each.text) for each in result.moments if each.kind == "journal"] == [
        ("SQS orders", "Arrived in orders"),
        ("SQS orders", "Received for the first time"),
    ]
    assert queues(localbus) == []


def test_a_setting_of_localbus_cannot_occur_elsewhere(localbus: Engine) -> None:
    """An experiment with delivery faults cannot occur on another engine, and makes no call there."""
    lab = experiment(needs=("disorder",))
    lab.queue()
    lab.disorder("servers differ", duplicates=1.0)

    result = runner(lab, localbus.url, None)()

    assert result.outcome is Outcome.CANNOT_OCCUR
    assert result.reason == "localstack cannot be made to do this; localbus can, by its disorder settings."
    assert result.moments == []


def test_a_missing_action_cannot_occur(localbus: Engine, api: Localbus) -> None:
    """An action that the engine does not have is not counted as a difference in behaviour."""
    lab = experiment()
    topic = lab.topic()
    lab.you.sns.put_data_protection_policy(ResourceArn=topic, DataProtectionPolicy="{}")

    result = runner(lab, localbus.url, api)()

    assert result.outcome is Outcome.CANNOT_OCCUR
    assert result.reason.startswith("embedded does not have PutDataProtectionPolicy: ")


def test_an_unexpected_error_differs(localbus: Engine, api: Localbus) -> None:
    """A call that must succeed and is rejected ends the experiment, whose queue is removed."""
    lab = experiment()
    orders = lab.queue()
    lab.you.sqs.delete_message(QueueUrl=orders.url, ReceiptHandle="not a handle")
    lab.check("Never made", orders.url, "")

    result = runner(lab, localbus.url, api)()

    assert result.outcome is Outcome.DIFFERS
    assert result.reason.startswith("DeleteMessage failed: ")
    assert "ReceiptHandleIsInvalid" in result.reason
    assert result.checks == []
    assert queues(localbus) == []


def test_an_expected_error_goes_on(localbus: Engine, api: Localbus) -> None:
    """The code of an error that is looked at can be checked; a call that succeeds has an empty one."""
    lab = experiment()
    orders = lab.queue()
    wrong = lab.you.sqs.delete_message(QueueUrl=orders.url, ReceiptHandle="not a handle")
    lab.check("It is rejected", wrong.error, "ReceiptHandleIsInvalid")
    right = lab.you.sqs.send_message(QueueUrl=orders.url, MessageBody="flat white")
    lab.check("It is accepted", right.error, "")

    result = runner(lab, localbus.url, api)()

    assert result.outcome is Outcome.REPRODUCED
    assert [each.found for each in result.checks] == ["ReceiptHandleIsInvalid", "no error"]


def test_a_failed_check_says_what_was_found(localbus: Engine, api: Localbus) -> None:
    """All checks are made, and the reason names those that failed with what was found."""
    lab = experiment()
    orders = lab.queue()
    received = lab.you.sqs.receive_message(QueueUrl=orders.url)
    lab.check("One arrives", received.count, 1)
    lab.check("It is a flat white", received.body, "flat white")
    lab.check("None arrives", received.count, 0)

    result = runner(lab, localbus.url, api)()

    assert result.outcome is Outcome.DIFFERS
    assert result.reason == "One arrives: found 0; It is a flat white: found nothing"
    assert [each.passed for each in result.checks] == [False, False, True]


def test_until_gives_up_with_the_last_value(localbus: Engine, api: Localbus) -> None:
    """A value that never holds ends the wait, and the check shows it."""
    lab = experiment()
    orders = lab.queue()
    lab.check("It has one message", lab.counts(orders, "1 waiting, 0 in flight, 0 delayed", within_s=0), "1")

    assert runner(lab, localbus.url, api)().reason == "It has one message: found 0 waiting, 0 in flight, 0 delayed"


def test_ctrl_c_removes_everything(localbus: Engine, api: Localbus) -> None:
    """After Ctrl-C, queues are removed, settings of localbus end, and the interrupt goes on to the caller."""
    lab = experiment(needs=("disorder",))
    orders = lab.queue()
    lab.disorder("servers differ", duplicates=1.0)
    waiting = lab.actor("consumer").sqs.receive_message(QueueUrl=orders.url, WaitTimeSeconds=20)
    lab.start(waiting)
    lab.step("Here you press Ctrl-C.")
    lab.finish(waiting)

    def interrupt(step: Step) -> None:
        if step is lab.steps[-2]:
            raise KeyboardInterrupt

    run = runner(lab, localbus.url, api, before_step=interrupt)
    with pytest.raises(KeyboardInterrupt):
        run()

    assert run.result.outcome is Outcome.BROKEN_OFF
    assert run.result.left_behind == []
    assert queues(localbus) == []
    assert api.get(DELIVERY_FAULTS) == {}


def test_settings_end_before_the_removal(localbus: Engine, api: Localbus) -> None:
    """Faults that would also fail the removal of a queue do not: they end first."""
    lab = experiment(needs=("faults",))
    lab.queue()
    lab.faults("nothing can be deleted", {"action": "DeleteQueue", "kind": "error_before", "probability": 1})

    result = runner(lab, localbus.url, api)()

    assert result.left_behind == []
    assert queues(localbus) == []
    assert api.get(FAULTS) == {"rules": []}


def test_a_failed_delete_of_what_was_received_differs(localbus: Engine, api: Localbus) -> None:
    """`receive_all` whose delete fails ends the experiment with the reason, not with a traceback."""
    lab = experiment(needs=("faults",))
    orders = lab.queue()
    lab.you.sqs.send_message(QueueUrl=orders.url, MessageBody="flat white")
    lab.faults("deletes fail", {"action": "DeleteMessageBatch", "kind": "error_before", "probability": 1})
    lab.you.receive_all(orders.url, count=1)

    result = runner(lab, localbus.url, api)()

    assert result.outcome is Outcome.DIFFERS
    assert result.reason.startswith("DeleteMessageBatch failed: ")


def test_a_localbus_alone_is_enough(localbus: Engine) -> None:
    """A localbus without functions takes experiments; those that need a function cannot occur on it."""
    lab = experiment(needs=("functions",))
    lab.you.functions.list_functions()
    with lab_backend("embedded", localbus.url) as backend:
        result = Runner(Entry("sqs-any", "sqs", "Any", Path("any.py"), lab), backend)()

    assert result.outcome is Outcome.CANNOT_OCCUR
    assert "--upstream" in result.reason


def test_what_cannot_be_removed_is_named(localbus: Engine, api: Localbus) -> None:
    """A removal that fails is in the result, and the others are made all the same."""
    lab = experiment()
    lab.queue()
    lab.remove("sns", "delete_topic", TopicArn="not an ARN")

    result = runner(lab, localbus.url, api)()

    (left,) = result.left_behind
    assert left.startswith("DeleteTopic {'TopicArn': 'not an ARN'}")
    assert queues(localbus) == []


@pytest.mark.parametrize(("name", "texts"), [("localstack", []), ("aws", ["AWS needs 0.01 s: a role becomes known"])])
def test_only_aws_needs_time_to_settle(localbus: Engine, name: Any, texts: list[str]) -> None:
    """A change that AWS applies after seconds is waited for there, and nowhere else."""
    lab = experiment()
    lab.settle(0.01, "a role becomes known")
    backend = LabBackend(Endpoint(name, localbus.url), None, None)

    result = Runner(Entry("sqs-any", "sqs", "Any", Path("any.py"), lab), backend)()

    assert [each.text for each in result.moments] == texts
