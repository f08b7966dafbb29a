"""A batch succeeds although entries of it fail."""

from orderboard.lab import Experiment, LongText

lab = Experiment(
    claim="SendMessageBatch answers with 200 although some entries were rejected: each entry has its own result, in "
    "Successful or Failed.",
    source="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html",
    means="Read Failed of each batch call (send, delete, change visibility) and send those entries again: no "
    "exception is raised, and a batch that looks only at the status loses messages.",
)
producer, consumer = lab.actor("producer"), lab.actor("consumer")
orders = lab.queue("orders", MaximumMessageSize=1024)

lab.step("The queue takes messages of up to 1,024 bytes. The second of three entries is longer.")
sent = producer.sqs.send_message_batch(
    QueueUrl=orders.url,
    Entries=[
        {"Id": "first", "MessageBody": "flat white"},
        {"Id": "second", "MessageBody": LongText("x", 1025)},
        {"Id": "third", "MessageBody": "espresso"},
    ],
)
lab.check("The call succeeds", sent.error, "")
lab.check("One entry failed", sent.keep("Failed[].Id", "failed", is_list=True), ["second"])
lab.check("It is the sender's fault, so sending it again does not help", sent["Failed[0].SenderFault"], "true")
lab.check(
    "The others were sent", sent.keep("Successful[].Id", "sent", is_list=True), ["first", "third"], "in any order"
)
received = consumer.receive_all(orders.url, count=2)
lab.check("Only those arrive", received, ["flat white", "espresso"], "in any order")
