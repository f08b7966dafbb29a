"""A consumer cannot choose messages by their attributes."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="SQS does not filter: MessageAttributeNames only says which attributes to return, and a consumer gets "
    "messages that were meant for others.",
    source="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html",
    means="Filter before the queue: one queue for each kind of consumer, with a filter policy of an SNS subscription "
    "or a rule of EventBridge in front. Giving back what is not yours uses up receives and delays everyone.",
)
cashier, kitchen = lab.actor("cashier"), lab.actor("kitchen")
orders = lab.queue("orders")

lab.step("An order for the bar, and the kitchen asks for messages with the attribute kitchen.")
cashier.sqs.send_message(
    QueueUrl=orders.url,
    MessageBody="flat white",
    MessageAttributes={"bar": {"DataType": "String", "StringValue": "yes"}},
)
received = kitchen.sqs.receive_message(
    QueueUrl=orders.url, WaitTimeSeconds=5, MessageAttributeNames=["kitchen"], MaxNumberOfMessages=10
)
lab.check("The kitchen gets the bar's order", received.bodies, ["flat white"])
attributes = received.keep("length(keys(Messages[0].MessageAttributes || `{}`))", "attributes")
lab.check("It is returned without its attribute, so the kitchen cannot even see whose it is", attributes, 0)
