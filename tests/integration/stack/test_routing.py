"""Routing by the template's subscriptions and rules: each message reaches its queues and no other."""

from collections import Counter

from integration.stack import sample_events
from integration.stack.traffic import event_ids, publish, put, silence_notifier
from orderboard_contracts.routing import message_attributes
from support.stack import DeployedStack, DeployStack
from support.waiting import eventually


class Landed:
    """The queues on which events have arrived so far."""

    def __init__(self, stack: DeployedStack) -> None:
        self._stack = stack
        self._where: Counter[tuple[str, str]] = Counter()

    def now(self) -> Counter[tuple[str, str]]:
        """The number of times that each event was found on each queue."""
        for queue in self._stack.outputs.queues:
            self._where.update((queue, event_id) for event_id in event_ids(self._stack, queue))
        return self._where


async def test_commands_land_by_type_and_priority(quiet_stack: DeployedStack) -> None:
    """A command reaches the one queue of its priority, and anything else reaches none."""
    stack, names = quiet_stack, quiet_stack.outputs
    landed = Landed(stack)

    publish(stack, sample_events.placed("normal"), event_type="orderboard.order.placed.v2")
    publish(stack, sample_events.placed("normal"), priority="leisurely")
    expected = Counter(
        {
            (names.work_queue, publish(stack, sample_events.placed("normal"))): 1,
            (names.express_queue, publish(stack, sample_events.placed("express"))): 1,
            (names.express_queue, publish(stack, sample_events.cancellation())): 1,
            (names.work_queue, publish(stack, sample_events.cancellation(), priority="normal")): 1,
        }
    )

    def all_have_landed() -> None:
        assert landed.now() == expected

    await eventually(all_have_landed, within_s=10)
    publish(stack, last := sample_events.placed("normal"))
    expected[names.work_queue, last.id] += 1
    await eventually(all_have_landed, within_s=10)


async def test_a_raw_message_is_the_event_with_its_attributes(quiet_stack: DeployedStack) -> None:
    """Raw delivery: the body is the document as published, and the routing attributes come along."""
    order = sample_events.placed("express")

    publish(quiet_stack, order)
    message = (await eventually(lambda: quiet_stack.receive(quiet_stack.outputs.express_queue, wait_s=1)))[0]

    assert message["Body"] == order.to_json()
    assert {name: value.get("StringValue") for name, value in message["MessageAttributes"].items()} == (
        message_attributes(order)
    )


async def test_facts_that_need_an_alert_reach_the_notifier(quiet_stack: DeployedStack) -> None:
    """Large orders, rejections, express completions and refused cancellations land on alerts; no other fact does."""
    stack, alerts = quiet_stack, quiet_stack.outputs.alerts_queue
    landed = Landed(stack)

    for fact in (
        sample_events.placed(total_cents=9_999),
        sample_events.completed("normal"),
        sample_events.cancelled(),
        sample_events.cancellation(),
    ):
        put(stack, fact)
    put(stack, sample_events.placed(total_cents=10_000), Source="somebody.else")
    expected = Counter(
        (alerts, put(stack, fact))
        for fact in (
            sample_events.placed(total_cents=10_000),
            sample_events.placed(total_cents=89_000),
            sample_events.rejected(),
            sample_events.completed("express"),
            sample_events.refused(),
        )
    )

    def all_have_landed() -> None:
        assert landed.now() == expected

    await eventually(all_have_landed, within_s=10)
    expected[alerts, put(stack, sample_events.rejected())] += 1
    await eventually(all_have_landed, within_s=10)


async def test_what_a_large_order_is_can_be_set(deploy_stack: DeployStack) -> None:
    """LargeOrderCents moves the line."""
    stack = silence_notifier(deploy_stack({"LargeOrderCents": "500"}))

    put(stack, sample_events.placed(total_cents=499))
    large_id = put(stack, sample_events.placed(total_cents=500))

    await eventually(lambda: list(event_ids(stack, stack.outputs.alerts_queue)) == [large_id], within_s=10)
