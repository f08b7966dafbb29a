"""The name of a deleted queue is taken for a minute."""

from orderboard.lab import Experiment, Name

lab = Experiment(
    claim="For 60 seconds after DeleteQueue no queue of the same name can be created.",
    source="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteQueue.html",
    means="Delete and create is not a way to empty a queue, and a script that does both fails on AWS. Use names with "
    "a random part for queues that come and go.",
)
orders = lab.queue("orders")

lab.you.sqs.delete_queue(QueueUrl=orders.url)
again = lab.you.sqs.create_queue(QueueName=Name("orders"))
lab.check("The creation is rejected", again.error, "QueueDeletedRecently", "contains")
