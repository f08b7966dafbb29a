"""Reads the inventory of a backend: from localbus in one request, from others by the APIs of AWS's services."""

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from orderboard.resources.inventory import Document, Inventory, scopes_of
from orderboard.system.localbus import Localbus
from orderboard.system.target import AWS_ERRORS, Connection

MAX_OF_A_KIND: Final = 1_000
_CONCURRENT: Final = 8  # calls at a time, so that two hundred queues of LocalStack take a second or two
_NEXT: Final = ("NextToken", "NextToken")
Item = TypeVar("Item")


def read_localbus(engine: Localbus) -> Inventory | None:
    """Read everything of a localbus, of all accounts and regions; None if this localbus has no such page."""
    found = engine.resources()
    if found is None:
        return None
    kinds = ("topics", "subscriptions", "buses", "rules", "archives", "mappings", "tables")
    by_kind: dict[str, Any] = {kind: tuple(found[kind]) for kind in kinds}
    return Inventory(
        now_s=found["now"],
        queues=tuple(each["attributes"] for each in found["queues"]),
        oldest_sent_at={each["attributes"]["QueueArn"]: each["oldest_sent_at"] for each in found["queues"]},
        **by_kind,
    )


def read_by_api(connection: Connection) -> Inventory:
    """Read the account and region of the connection. A kind that the backend does not list is in `unread`."""
    unread: dict[str, str] = {}

    def tried(kind: str, read: Callable[[], Iterable[Document]]) -> tuple[Document, ...]:
        try:
            return tuple(read())
        except AWS_ERRORS as exc:
            unread[kind] = f"The backend did not list them: {exc}"
            return ()

    with ThreadPoolExecutor(_CONCURRENT) as pool:
        api = _Api(connection, pool)
        queues, topics = tried("queue", api.queues), tried("topic", api.topics)
        subscriptions, buses = tried("subscription", api.subscriptions), tried("bus", api.buses)
        rules = tried("rule", lambda: api.rules(buses))
        archives, mappings = tried("archive", api.archives), tried("mapping", api.mappings)
        tables = tried("table", api.tables)
    arns = [*(each["QueueArn"] for each in queues), *(each["TopicArn"] for each in topics)]
    return Inventory(
        time.time(),
        queues,
        topics,
        subscriptions,
        buses,
        rules,
        archives,
        mappings,
        tables,
        scopes=scopes_of([*arns, *(each["Arn"] for each in buses)]),
        unread=unread,
    )


class _Api:
    """The list calls, and a call for each item where a list has names only."""

    def __init__(self, connection: Connection, pool: ThreadPoolExecutor) -> None:
        self._connection = connection
        self._pool = pool

    def _each(self, describe: Callable[[Item], Document | None], items: Iterable[Item]) -> Iterator[Document]:
        """Describe items at the same time. One that has been deleted meanwhile is left out."""

        def tried(item: Item) -> Document | None:
            try:
                return describe(item)
            except self._connection.sqs.exceptions.ClientError as exc:
                if _is_gone(exc):
                    return None
                raise

        return (found for found in self._pool.map(tried, items) if found is not None)

    def queues(self) -> Iterator[Document]:
        sqs: Any = self._connection.sqs
        urls = _pages(sqs.list_queues, "QueueUrls", MaxResults=MAX_OF_A_KIND)
        return self._each(
            lambda url: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"], urls
        )

    def topics(self) -> Iterator[Document]:
        sns: Any = self._connection.sns
        arns = (each["TopicArn"] for each in _pages(sns.list_topics, "Topics"))
        return self._each(lambda arn: sns.get_topic_attributes(TopicArn=arn)["Attributes"], arns)

    def subscriptions(self) -> Iterator[Document]:
        sns: Any = self._connection.sns

        def describe(listed: Document) -> Document:
            arn = listed["SubscriptionArn"]
            if not arn.startswith("arn:"):  # pending: it has no ARN yet
                pending = f"{listed['TopicArn']}:pending-{listed['Endpoint']}"
                return {**listed, "SubscriptionArn": pending, "PendingConfirmation": "true"}
            return {**listed, **sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]}

        return self._each(describe, _pages(sns.list_subscriptions, "Subscriptions"))

    def buses(self) -> Iterator[Document]:
        return _pages(self._connection.events.list_event_buses, "EventBuses")

    def rules(self, buses: Iterable[Document]) -> Iterator[Document]:
        events: Any = self._connection.events

        def describe(rule: Document) -> Document:
            given = {"Rule": rule["Name"], "EventBusName": rule.get("EventBusName", "default")}
            return {**rule, "Targets": list(_pages(events.list_targets_by_rule, "Targets", **given))}

        found = (rule for bus in buses for rule in _pages(events.list_rules, "Rules", EventBusName=bus["Name"]))
        return self._each(describe, found)

    def archives(self) -> Iterator[Document]:
        return _pages(self._connection.events.list_archives, "Archives")

    def mappings(self) -> Iterator[Document]:
        functions: Any = self._connection.functions
        for each in _pages(functions.list_event_source_mappings, "EventSourceMappings", token=("Marker", "NextMarker")):
            region, account = each["FunctionArn"].split(":")[3:5]
            arn = f"arn:aws:lambda:{region}:{account}:event-source-mapping:{each['UUID']}"
            yield {"EventSourceMappingArn": arn, **each}

    def tables(self) -> Iterator[Document]:
        dynamodb: Any = self._connection.dynamodb
        names = _pages(dynamodb.list_tables, "TableNames", token=("ExclusiveStartTableName", "LastEvaluatedTableName"))
        return self._each(lambda name: dynamodb.describe_table(TableName=name)["Table"], names)


def _pages(call: Callable[..., Any], member: str, *, token: tuple[str, str] = _NEXT, **given: Any) -> Iterator[Any]:
    """Yield the items of all pages, at most MAX_OF_A_KIND."""
    count = 0
    while True:
        page = call(**given)
        for item in page.get(member, []):
            if count == MAX_OF_A_KIND:
                return
            count += 1
            yield item
        if not page.get(token[1]):
            return
        given[token[0]] = page[token[1]]


def _is_gone(error: Any) -> bool:
    code = error.response.get("Error", {}).get("Code", "")
    return any(word in code for word in ("NonExistentQueue", "QueueDoesNotExist", "NotFound"))
