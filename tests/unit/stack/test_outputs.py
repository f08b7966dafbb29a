"""A stack's outputs as names and as the environment of the services."""

import pytest
from orderboard_stack.deploy import TEMPLATE
from orderboard_stack.outputs import StackNotFoundError, StackOutputs
from template_file import document

COMPLETE = {key: f"the-{key}" for key in document(TEMPLATE)["Outputs"]}


def test_the_environment_names_every_output() -> None:
    """CamelCase keys become ORDERBOARD_ variables."""
    environment = StackOutputs.of(COMPLETE).environment()

    assert environment["ORDERBOARD_ORDERS_TOPIC_ARN"] == "the-OrdersTopicArn"
    assert environment["ORDERBOARD_WORK_DLQ"] == "the-WorkDlq"
    assert environment["ORDERBOARD_WORK_VISIBILITY_TIMEOUT_S"] == "the-WorkVisibilityTimeoutS"
    assert len(environment) == len(COMPLETE)


def test_a_stack_may_have_no_archive() -> None:
    """Its variable is left out, and nothing else is missing."""
    outputs = StackOutputs.of({key: value for key, value in COMPLETE.items() if key != "ArchiveName"})

    assert outputs.archive_name is None
    assert "ORDERBOARD_ARCHIVE_NAME" not in outputs.environment()


def test_outputs_of_a_newer_template_are_left_out() -> None:
    """An output that this version does not know is ignored."""
    assert StackOutputs.of({**COMPLETE, "Tomorrow": "x"}) == StackOutputs.of(COMPLETE)


def test_a_missing_output_is_named() -> None:
    """An older stack says which output it lacks and what to do."""
    without = {key: value for key, value in COMPLETE.items() if key != "ExpressQueue"}

    with pytest.raises(StackNotFoundError, match="express_queue; deploy it again"):
        StackOutputs.of(without)


def test_every_queue_is_listed() -> None:
    """All queues of the stack, each once."""
    queues = StackOutputs.of(COMPLETE).queues

    assert set(queues) == {f"the-{key}" for key in COMPLETE if key.endswith(("Queue", "Dlq"))}
    assert len(queues) == len(set(queues))
