"""A queue can be purged once a minute."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="A second PurgeQueue within 60 seconds is rejected with PurgeQueueInProgress.",
    source="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_PurgeQueue.html",
    means="A test suite that purges its queue before each test works on emulators and fails on AWS. Give each test "
    "its own queue, with a name of its run, or receive and delete.",
)
orders = lab.queue("orders")

first = lab.you.sqs.purge_queue(QueueUrl=orders.url)
lab.check("The first purge is accepted", first.error, "")
second = lab.you.sqs.purge_queue(QueueUrl=orders.url)
lab.check("The second is rejected", second.error, "PurgeQueueInProgress", "contains")
