"""A changed delay applies to old messages on FIFO queues only."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="On a FIFO queue a changed DelaySeconds applies to the messages that are in it; on a standard queue only "
    "to those that are sent later.",
    source="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-delay-queues.html",
    means="A standard queue that was given a long delay by mistake keeps its messages until that delay ends: "
    "changing the queue does not free them.",
)
producer, consumer = lab.actor("producer"), lab.actor("consumer")
standard = lab.queue("standard", DelaySeconds=900)
fifo = lab.queue("ordered", fifo=True, DelaySeconds=900)

lab.step("Both queues delay by 15 minutes. A message is sent to each, and then the delays are set to 0.")
producer.sqs.send_message(QueueUrl=standard.url, MessageBody="flat white")
producer.sqs.send_message(
    QueueUrl=fifo.url, MessageBody="espresso", MessageGroupId="table-1", MessageDeduplicationId="order-1"
)
lab.you.sqs.set_queue_attributes(QueueUrl=standard.url, Attributes={"DelaySeconds": "0"})
lab.you.sqs.set_queue_attributes(QueueUrl=fifo.url, Attributes={"DelaySeconds": "0"})

lab.step("AWS may need a minute for a change of a queue.")
freed = consumer.sqs.receive_message(QueueUrl=fifo.url, WaitTimeSeconds=1)
lab.until(freed, freed.body, "espresso", within_s=75)
lab.check("The FIFO queue's message can be received", freed.body, "espresso")
held = consumer.sqs.receive_message(QueueUrl=standard.url)
lab.check("The standard queue's message is still delayed", held.count, 0)
