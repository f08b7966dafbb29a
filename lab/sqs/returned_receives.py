"""Looking at a message counts as a failed attempt."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="Every receive counts towards maxReceiveCount, also one with a visibility timeout of 0 and one whose "
    "message was given back at once.",
    source="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html",
    means="A look at the messages (AWS's console polls, too), and a consumer that returns what it has no room for, "
    "use up the attempts: good messages land in the dead-letter queue within a second. Receive only what you can "
    "work on, and give a failed message back with a delay.",
)
producer, you, consumer = lab.actor("producer"), lab.you, lab.actor("consumer")
failed, policy = lab.dead_letters(after=3)
orders = lab.queue("orders", RedrivePolicy=policy)
producer.sqs.send_message(QueueUrl=orders.url, MessageBody="flat white")

lab.step("You look at the queue, without hiding the message from anyone.")
look = you.sqs.receive_message(QueueUrl=orders.url, VisibilityTimeout=0, WaitTimeSeconds=5)
lab.check("You see the order", look.body, "flat white")

lab.step("Twice, a consumer that is busy receives it and makes it visible again at once.")
with lab.each("time", ["first", "second"]):
    busy = consumer.sqs.receive_message(QueueUrl=orders.url, WaitTimeSeconds=5)
    consumer.sqs.change_message_visibility(QueueUrl=orders.url, ReceiptHandle=busy.receipt, VisibilityTimeout=0)

lab.step("Now the consumer has time, and another order comes.")
producer.sqs.send_message(QueueUrl=orders.url, MessageBody="espresso")
free = consumer.sqs.receive_message(QueueUrl=orders.url, MaxNumberOfMessages=10, WaitTimeSeconds=5)
lab.check("It gets the other order only", free.bodies, ["espresso"])
dead = consumer.sqs.receive_message(QueueUrl=failed.url, WaitTimeSeconds=5)
lab.check("The first order is in the dead-letter queue, and nobody has tried to make it", dead.body, "flat white")
