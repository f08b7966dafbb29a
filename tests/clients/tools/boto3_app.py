"""boto3: send, work, retry, dead letter and redrive; a topic and a bus to one queue."""

import json

import boto3

sqs, sns, events = (boto3.client(name) for name in ("sqs", "sns", "events"))
dlq = sqs.create_queue(QueueName="dead")["QueueUrl"]
arn = sqs.get_queue_attributes(QueueUrl=dlq, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
allowed = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}]}
redrive = {"deadLetterTargetArn": arn, "maxReceiveCount": 2}
work = sqs.create_queue(
    QueueName="work",
    Attributes={"RedrivePolicy": json.dumps(redrive), "VisibilityTimeout": "0", "Policy": json.dumps(allowed)},
)["QueueUrl"]


def receive(url, wait_s=5):
    """The messages of one receive."""
    return sqs.receive_message(QueueUrl=url, WaitTimeSeconds=wait_s, AttributeNames=["All"]).get("Messages", [])


sqs.send_message(
    QueueUrl=work, MessageBody="poison", MessageAttributes={"k": {"DataType": "Number", "StringValue": "1"}}
)
assert [receive(work)[0]["Attributes"]["ApproximateReceiveCount"] for _ in range(2)] == ["1", "2"]
assert receive(work, 0) == []
assert (
    sqs.get_queue_attributes(QueueUrl=dlq, AttributeNames=["All"])["Attributes"]["ApproximateNumberOfMessages"] == "1"
)
sqs.start_message_move_task(SourceArn=arn)
[message] = receive(work)
assert message["Body"] == "poison"
sqs.delete_message(QueueUrl=work, ReceiptHandle=message["ReceiptHandle"])

topic = sns.create_topic(Name="orders")["TopicArn"]
queue_arn = arn.replace(":dead", ":work")
sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn, Attributes={"RawMessageDelivery": "true"})
sns.publish(TopicArn=topic, Message="from the topic")
events.put_rule(Name="r", EventPattern=json.dumps({"source": ["shop"]}))
events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": queue_arn, "InputPath": "$.detail.who"}])
events.put_events(Entries=[{"Source": "shop", "DetailType": "order", "Detail": '{"who": "from the bus"}'}])
bodies = set()
while len(bodies) < 2:
    for message in receive(work):
        bodies.add(message["Body"])
        sqs.delete_message(QueueUrl=work, ReceiptHandle=message["ReceiptHandle"])
assert bodies == {"from the topic", '"from the bus"'}, bodies
