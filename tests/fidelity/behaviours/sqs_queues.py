"""Queues: create, find, list, tag, purge and delete."""

from __future__ import annotations

from fidelity.aws import ACCOUNT, Aws
from fidelity.behaviour import Group
from fidelity.expect import holds, refused, same
from fidelity.sources import sqs_api, sqs_guide

GROUP = Group("SQS", "Queues")
behaviour = GROUP.behaviour
_NOT_FOUND = "AWS.SimpleQueueService.NonExistentQueue"


@behaviour(sqs_guide("sqs-queue-message-identifiers"))
def queue_url(aws: Aws) -> None:
    """A queue's URL ends with the account and the name, and GetQueueUrl returns the same."""
    queue = aws.queue()

    holds(queue.url.endswith(f"/{ACCOUNT}/{queue.name}"), f"gives {queue.url}")
    same("GetQueueUrl gives", aws.sqs.get_queue_url(QueueName=queue.name)["QueueUrl"], queue.url)


@behaviour(sqs_api("CreateQueue"))
def created_again(aws: Aws) -> None:
    """Creating a queue again with the same attributes returns its URL."""
    queue = aws.queue(DelaySeconds="5")

    again = aws.sqs.create_queue(QueueName=queue.name, Attributes={"DelaySeconds": "5"})["QueueUrl"]

    same("gives", again, queue.url)


@behaviour(sqs_api("CreateQueue", recorded=True))
def created_differently(aws: Aws) -> None:
    """Creating a queue again with another attribute is rejected, and the error names the attribute."""
    given = {"QueueName": aws.queue().name, "Attributes": {"DelaySeconds": "5"}}
    refused("QueueAlreadyExists", aws.sqs.create_queue, says="different value for attribute DelaySeconds", **given)


@behaviour(sqs_api("CreateQueue"))
def name_with_a_blank(aws: Aws) -> None:
    """A name with characters other than letters, digits, hyphens and underscores is rejected."""
    refused("InvalidParameterValue", aws.sqs.create_queue, QueueName="a b")


@behaviour(sqs_api("CreateQueue"))
def name_too_long(aws: Aws) -> None:
    """A name of 81 characters is rejected."""
    refused("InvalidParameterValue", aws.sqs.create_queue, QueueName="x" * 81)


@behaviour(sqs_api("CreateQueue"))
def fifo_name_without_attribute(aws: Aws) -> None:
    """A name that ends with .fifo is rejected without the attribute FifoQueue."""
    refused("InvalidParameterValue", aws.sqs.create_queue, QueueName=f"{aws.name()}.fifo")


@behaviour(sqs_api("CreateQueue"))
def fifo_without_fifo_name(aws: Aws) -> None:
    """A FIFO queue whose name does not end with .fifo is rejected."""
    refused("InvalidParameterValue", aws.queue, FifoQueue="true")


@behaviour(sqs_api("CreateQueue", recorded=True))
def fifo_false(aws: Aws) -> None:
    """FifoQueue=false is rejected on a standard queue: the attribute is unknown there."""
    refused("InvalidAttributeName", aws.queue, says="Unknown Attribute FifoQueue", FifoQueue="false")


@behaviour(sqs_api("GetQueueUrl", recorded=True))
def url_of_nothing(aws: Aws) -> None:
    """GetQueueUrl of a queue that does not exist is rejected with AWS.SimpleQueueService.NonExistentQueue."""
    refused(_NOT_FOUND, aws.sqs.get_queue_url, QueueName=aws.name(), status=400)


@behaviour(sqs_api("SendMessage", recorded=True))
def send_to_nothing(aws: Aws) -> None:
    """SendMessage to a queue that does not exist is rejected with AWS.SimpleQueueService.NonExistentQueue."""
    refused(_NOT_FOUND, aws.sqs.send_message, QueueUrl=f"{aws.queue().url}-not", MessageBody="b")


@behaviour(sqs_api("DeleteQueue"))
def name_rests(aws: Aws) -> None:
    """The name of a deleted queue is rejected for 60 seconds."""
    queue = aws.queue()
    aws.sqs.delete_queue(QueueUrl=queue.url)

    refused("AWS.SimpleQueueService.QueueDeletedRecently", aws.sqs.create_queue, QueueName=queue.name)


@behaviour(sqs_api("ListQueues"))
def listed_by_prefix(aws: Aws) -> None:
    """ListQueues lists the queues whose name begins with the prefix."""
    queues = [aws.queue() for _ in range(2)]

    answer = aws.sqs.list_queues(QueueNamePrefix=aws.prefix)

    same("lists", sorted(answer.get("QueueUrls", [])), sorted(queue.url for queue in queues))


@behaviour(sqs_api("ListQueues"))
def listed_by_pages(aws: Aws) -> None:
    """With MaxResults a page of queues has a token as long as there are more."""
    for _ in range(5):
        aws.queue()

    pages = aws.sqs.get_paginator("list_queues").paginate(QueueNamePrefix=aws.prefix, PaginationConfig={"PageSize": 2})

    same("gives pages of", [len(page["QueueUrls"]) for page in pages], [2, 2, 1])


@behaviour(sqs_guide("standard-queues"))
def another_region(aws: Aws) -> None:
    """The same name in another region is another queue."""
    queue = aws.queue()
    away = aws.client("sqs", region="eu-central-1")

    url = away.create_queue(QueueName=queue.name)["QueueUrl"]
    queue.send("here")

    holds("Messages" not in away.receive_message(QueueUrl=url), "gives the messages of the other region")


@behaviour(sqs_api("TagQueue"))
def tags(aws: Aws) -> None:
    """Tags are added, overwritten and removed."""
    queue = aws.queue()
    aws.sqs.tag_queue(QueueUrl=queue.url, Tags={"a": "1", "b": "2", "c": ""})
    aws.sqs.tag_queue(QueueUrl=queue.url, Tags={"a": "3"})
    aws.sqs.untag_queue(QueueUrl=queue.url, TagKeys=["b", "not there"])

    same("keeps", aws.sqs.list_queue_tags(QueueUrl=queue.url).get("Tags"), {"a": "3", "c": ""})


@behaviour(sqs_api("CreateQueue"))
def tags_at_creation(aws: Aws) -> None:
    """CreateQueue accepts tags."""
    url = aws.sqs.create_queue(QueueName=aws.name(), tags={"team": "orders"})["QueueUrl"]

    same("keeps", aws.sqs.list_queue_tags(QueueUrl=url).get("Tags"), {"team": "orders"})


@behaviour(sqs_api("PurgeQueue"))
def purge(aws: Aws) -> None:
    """A purge deletes visible, in-flight and delayed messages."""
    queue = aws.queue()
    queue.received("in flight")
    queue.send("waits")
    queue.send("delayed", DelaySeconds=60)

    aws.sqs.purge_queue(QueueUrl=queue.url)

    same("keeps", queue.counts(), (0, 0, 0))


@behaviour(sqs_api("PurgeQueue", recorded=True))
def purged_twice(aws: Aws) -> None:
    """A second purge within 60 seconds is rejected with PurgeQueueInProgress (403)."""
    queue = aws.queue()
    aws.sqs.purge_queue(QueueUrl=queue.url)

    refused("AWS.SimpleQueueService.PurgeQueueInProgress", aws.sqs.purge_queue, QueueUrl=queue.url, status=403)
