"""Deploying on LocalStack: a stack can be made, changed and taken away, and nothing of it stays."""

import secrets

import pytest
from localstack_client.session import Session  # type: ignore[import-untyped]
from orderboard.system.deploy import Zips, deploy_stack, remove_stack
from orderboard_stack.backend import Endpoint
from orderboard_stack.outputs import StackNotFoundError, read


def test_a_stack_is_created_updated_and_deleted(backend: Endpoint, aws: Session, zips: Zips) -> None:
    """A changed parameter takes effect, deploying the same again changes nothing, and deleting leaves nothing."""
    name = f"test-{secrets.token_hex(4)}"
    events, sqs = aws.client("events"), aws.client("sqs")

    def deployed(large_order_cents: int) -> list[str]:
        said: list[str] = []
        deploy_stack(
            backend,
            zips,
            stack_name=name,
            prefix=name,
            parameters={"LargeOrderCents": str(large_order_cents)},
            progress=said.append,
        )
        return said

    def threshold() -> str:
        return str(events.describe_rule(Name=f"{name}-large-order", EventBusName=name)["EventPattern"])

    deployed(1234)
    assert "1234" in threshold()

    deployed(4321)
    assert "4321" in threshold()

    assert f"stack {name}: nothing to change" in deployed(4321)

    remove_stack(backend, name, name)
    with pytest.raises(StackNotFoundError):
        read(backend.session(), backend.endpoint_url, name)
    assert "QueueUrls" not in sqs.list_queues(QueueNamePrefix=name)
