"""An orders table, a bus with its archive and two queues on localbus, and a worker that records orders at once."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from localbus.pytest_plugin import Localbus
from order_api.placement import order_placed
from orderboard.recovery.plan import plan
from orderboard.recovery.restore import Restored, restore
from orderboard.system.target import Target
from orderboard_aws_client.order_codec import from_item, to_item
from orderboard_contracts.events import Event, OrderPlaced
from orderboard_contracts.order import OrderLine, OrderRequest, digest
from orderboard_contracts.record import OrderRecord
from orderboard_contracts.routing import bus_entry
from orderboard_stack.backend import Endpoint
from orderboard_stack.outputs import StackOutputs
from unit.worker.commands import TRACE
from worker.order import RecordingContext, outcome_of, record_of

TABLE = "bar-orders"
TOPIC = "arn:aws:sns:us-east-1:000000000000:bar-orders"
SETTINGS: dict[str, Any] = {"PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": 20}
OUTPUTS = StackOutputs(**{each.name: f"bar-{each.name}" for each in fields(StackOutputs)})


def placed_order(order_id: str, at: datetime, *, quantity: int = 1, sku: str = "tea") -> OrderPlaced:
    """Return the event of an accepted order."""
    request = OrderRequest(customer_id="ada", lines=(OrderLine(sku=sku, quantity=quantity),))
    return order_placed(request, order_id=order_id, digest=digest(request), at=at, trace=TRACE)


class _Task:
    """A task during which the clock of localbus goes on, so that a replay does."""

    def __init__(self, localbus: Localbus) -> None:
        self._localbus = localbus

    def detail(self, _text: str) -> None:
        self._localbus.advance(1)

    def advance_to(self, _done: int, _total: int | None = None) -> None:
        pass


class _Screen:
    def __init__(self, localbus: Localbus) -> None:
        self._localbus = localbus

    @contextmanager
    def task(self, _text: str, *, total: int | None = None) -> Iterator[_Task]:
        del total
        yield _Task(self._localbus)

    def say(self, _line: str) -> None:
        pass

    def paused(self) -> AbstractContextManager[None]:
        return nullcontext()


class Bar:
    """The system. Orders are recorded at the time of localbus's clock."""

    def __init__(self, localbus: Localbus) -> None:
        self.localbus = localbus
        self.screen = _Screen(localbus)
        self.target = Target(
            Endpoint("embedded", localbus.url),
            replace(OUTPUTS, orders_table=TABLE, bus_name="bar", archive_name="bar", orders_topic_arn=TOPIC),
        )
        self.client = self.target.dynamodb
        self._create_table()
        bus_arn = self.target.events.create_event_bus(Name="bar")["EventBusArn"]
        self.target.events.create_archive(ArchiveName="bar", EventSourceArn=bus_arn)
        for queue in (OUTPUTS.work_queue, OUTPUTS.express_queue):
            self.target.sqs.create_queue(QueueName=queue)

    def _create_table(self) -> None:
        names = ("order_id", "customer_id", "placed_at")
        keys: Any = [
            {"AttributeName": name, "KeyType": kind} for name, kind in zip(names[1:], ("HASH", "RANGE"), strict=True)
        ]
        self.client.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
            KeySchema=[{"AttributeName": "order_id", "KeyType": "HASH"}],
            GlobalSecondaryIndexes=[
                {"IndexName": "by-customer", "KeySchema": keys, "Projection": {"ProjectionType": "ALL"}}
            ],
            Tags=[{"Key": "team", "Value": "bar"}],
        )
        expiry: Any = {"AttributeName": "expires_at", "Enabled": True}
        self.client.update_time_to_live(TableName=TABLE, TimeToLiveSpecification=expiry)
        self.client.update_continuous_backups(
            TableName=TABLE,
            PointInTimeRecoverySpecification=SETTINGS,  # type: ignore[arg-type]
        )

    def now(self) -> datetime:
        """Return the time of localbus."""
        return datetime.fromtimestamp(self.localbus.clock.now(), UTC)

    def publish(self, *events: Event) -> None:
        """Put events on the bus, which archives them."""
        for event in events:
            self.target.events.put_events(Entries=[bus_entry(event, "bar")])  # type: ignore[list-item]

    def make(self, placed: OrderPlaced) -> OrderRecord:
        """Record an accepted order as a worker does: the row, then its outcome."""
        row = record_of(placed, {"cinnamon-bun"}, RecordingContext(self.now(), "worker-1", 1))
        self.client.put_item(TableName=TABLE, Item=to_item(row))
        self.publish(placed, outcome_of(row))
        self.localbus.advance(1)
        return row

    def rows(self, table: str = TABLE) -> dict[str, OrderRecord]:
        """Return the rows of a table by order."""
        items = self.client.scan(TableName=table)["Items"]
        return {row.order_id: row for row in map(from_item, items)}

    def tick(self, _text: str = "") -> None:
        """Let a second pass, so that a replay goes on."""
        self.localbus.advance(1)

    def later(self, **given: float) -> None:
        """Let time pass."""
        self.localbus.advance(timedelta(**given).total_seconds())

    def restore(self, backup: str | None = None, at: datetime | None = None, **given: bool) -> Restored:
        """Restore as the command does."""
        options = {"latest": False, "replays": True, "starts_over": False} | given
        return restore(plan(self.target, backup, at, **options), self.screen)


def rebuilt(row: OrderRecord) -> OrderRecord:
    """Return the row as it is rebuilt: no fact tells which worker made the order, and at which receive."""
    return row.model_copy(update={"worker_id": None, "receive_count": None})
