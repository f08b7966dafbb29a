"""Deploying: the first time, again, with errors, and deleting everything."""

import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from pathlib import Path

import pytest
from conftest import HOST_RUNTIME
from integration.stack import sample_events
from integration.stack.traffic import event_ids, put, silence_notifier
from orderboard_stack import outputs as stack_outputs
from orderboard_stack.backend import Endpoint
from orderboard_stack.change_set import Change
from orderboard_stack.clients import CLIENT_CONFIG
from orderboard_stack.deploy import TEMPLATE, DeployFailedError, delete, deploy, review
from support.stack import DeployedStack
from support.waiting import eventually

Redeploy = Callable[..., list[str]]


@pytest.fixture
def name(backend: Endpoint) -> Iterator[str]:
    """A stack name and prefix that is free, and is free again after the test."""
    name = f"test-{secrets.token_hex(4)}"
    yield name
    with nullcontext() if backend.capabilities.deletes_failed else suppress(DeployFailedError):
        delete(backend.session(), backend.endpoint_url, stack_name=name, prefix=name)


@pytest.fixture
def deployed(backend: Endpoint, notifier_zip: Path, name: str) -> Redeploy:
    """Deploy the one stack of this test, as often as it is called, and return the lines of its progress."""

    def call(template: Path = TEMPLATE, zip_path: Path = notifier_zip, **parameters: str) -> list[str]:
        lines: list[str] = []
        deploy(
            backend.session(),
            backend.endpoint_url,
            stack_name=name,
            prefix=name,
            template=template,
            notifier_zip=zip_path,
            parameters={"NotifierRuntime": HOST_RUNTIME, **parameters}
            if backend.capabilities.host_lambda
            else parameters,
            progress=lines.append,
        )
        return lines

    return call


def handle_on(backend: Endpoint, name: str) -> DeployedStack:
    """The stack as it is now, read from its outputs."""
    session = backend.session()
    outputs = stack_outputs.read(session, backend.endpoint_url, name)
    return DeployedStack(name=name, prefix=name, endpoint=backend, outputs=outputs)


def test_progress_names_every_resource(deployed: Redeploy) -> None:
    """Progress has one line for each resource."""
    lines = deployed()

    assert {"WorkQueue CREATE_COMPLETE", "LargeOrderRule CREATE_COMPLETE", "OrdersTable CREATE_COMPLETE"} <= set(lines)
    assert len(lines) == len(set(lines))


def test_a_review_shows_the_changes_and_makes_none(
    deployed: Redeploy, backend: Endpoint, notifier_zip: Path, name: str
) -> None:
    """A review of a new stack leaves none; of one that runs, it names what an update changes, replaces or deletes."""
    if backend.name != "embedded":
        pytest.skip("change sets differ between engines")

    def reviewed(prefix: str = name, **parameters: str) -> dict[str, Change]:
        given = {"NotifierRuntime": HOST_RUNTIME, **parameters}
        session = backend.session()
        found = review(
            session, backend.endpoint_url, notifier_zip=notifier_zip, stack_name=name, prefix=prefix, parameters=given
        )
        return {each.logical_id: each for each in found}

    assert {each.action for each in reviewed().values()} == {"Add"}
    with pytest.raises(stack_outputs.StackNotFoundError):
        handle_on(backend, name)
    deployed()

    assert reviewed() == {}
    longer = reviewed(WorkVisibilityTimeoutS="60")
    assert longer["WorkQueue"].properties == {"VisibilityTimeout": "Never"}
    assert not any(each.deletes for each in longer.values())
    assert reviewed(prefix=f"{name}-x")["WorkQueue"].deletes
    assert handle_on(backend, name).outputs.work_visibility_timeout_s == "30"


async def test_an_update_takes_effect(deployed: Redeploy, backend: Endpoint, name: str) -> None:
    """Deploying again with another value changes what the rule lets through."""
    deployed()

    deployed(LargeOrderCents="500")

    stack = silence_notifier(handle_on(backend, name))
    large_id = put(stack, sample_events.placed(total_cents=500))
    assert stack.outputs.large_order_cents == "500"
    await eventually(lambda: list(event_ids(stack, stack.outputs.alerts_queue)) == [large_id], within_s=10)


def test_deploying_the_same_again_changes_nothing(deployed: Redeploy, backend: Endpoint, name: str) -> None:
    """A second deployment of the same leaves the data where it is and says so."""
    deployed()
    stack = handle_on(backend, name)
    stack.dynamodb.put_item(TableName=stack.outputs.orders_table, Item={"order_id": {"S": "kept"}})

    lines = deployed()

    assert f"stack {name}: nothing to change" in lines
    assert "Item" in stack.dynamodb.get_item(TableName=stack.outputs.orders_table, Key={"order_id": {"S": "kept"}})


def test_new_code_takes_effect(
    deployed: Redeploy, notifier_zip: Path, tmp_path: Path, backend: Endpoint, name: str
) -> None:
    """Another zip gives the function other code."""
    deployed()
    functions = backend.session().client("lambda", endpoint_url=backend.endpoint_url, config=CLIENT_CONFIG)
    before = functions.get_function(FunctionName=f"{name}-notifier")["Configuration"]["CodeSha256"]
    changed = tmp_path / "changed.zip"
    changed.write_bytes(notifier_zip.read_bytes() + b"\0")

    deployed(zip_path=changed)

    assert functions.get_function(FunctionName=f"{name}-notifier")["Configuration"]["CodeSha256"] != before


def test_a_failing_resource_is_named(deployed: Redeploy, backend: Endpoint, tmp_path: Path) -> None:
    """The error of a failed stack names the resource and the reason; a corrected template deploys."""
    broken = tmp_path / "broken.yaml"
    broken.write_text(
        TEMPLATE.read_text().replace("maxReceiveCount: !Ref WorkMaxReceiveCount", "maxReceiveCount: 0", 1)
    )

    with pytest.raises(DeployFailedError, match=r"WorkQueue\w* \(AWS::SQS::Queue\w*\): .*maxReceiveCount"):
        deployed(template=broken)

    if backend.capabilities.deletes_failed:
        assert "WorkQueue CREATE_COMPLETE" in deployed()
    else:
        with pytest.raises(DeployFailedError, match="Restart the backend"):
            deployed()


def test_a_template_that_is_refused_says_why(deployed: Redeploy, tmp_path: Path) -> None:
    """A text that is not a template is rejected before anything is created."""
    broken = tmp_path / "broken.yaml"
    broken.write_text("Resources: [")

    with pytest.raises(DeployFailedError, match=r"CloudFormation rejected the template: .+"):
        deployed(template=broken)


def test_deletion_leaves_nothing(backend: Endpoint, deployed: Redeploy, name: str) -> None:
    """Queues, topics, tables, the bus with its archive, the function and the bucket are gone when delete returns."""
    deployed()
    session, url = backend.session(), backend.endpoint_url

    delete(session, url, stack_name=name, prefix=name)

    left = json.dumps(
        [
            session.client("sqs", endpoint_url=url).list_queues(QueueNamePrefix=name).get("QueueUrls", []),
            session.client("sns", endpoint_url=url).list_topics()["Topics"],
            session.client("dynamodb", endpoint_url=url).list_tables()["TableNames"],
            [each["Name"] for each in session.client("events", endpoint_url=url).list_event_buses()["EventBuses"]],
            [each["ArchiveName"] for each in session.client("events", endpoint_url=url).list_archives()["Archives"]],
            [each["FunctionName"] for each in session.client("lambda", endpoint_url=url).list_functions()["Functions"]],
            [each["Name"] for each in session.client("s3", endpoint_url=url).list_buckets()["Buckets"]],
        ]
    )
    assert name not in left
    with pytest.raises(stack_outputs.StackNotFoundError, match=name):
        stack_outputs.read(session, url, name)


def test_deleting_what_is_not_there_is_fine(backend: Endpoint) -> None:
    """delete can be run twice."""
    for _ in range(2):
        delete(backend.session(), backend.endpoint_url, stack_name="never-was", prefix="never-was")
