"""dramatiq with dramatiq_sqs: an actor that succeeds at its second try, and one whose message becomes a dead letter."""

import threading

import boto3
import dramatiq
from dramatiq.middleware import AgeLimit, Callbacks, Retries
from dramatiq_sqs import SQSBroker

broker = SQSBroker(namespace="shop", middleware=[AgeLimit(), Callbacks(), Retries(min_backoff=10)], dead_letter=True)
dramatiq.set_broker(broker)
tries = []
made = threading.Event()


@dramatiq.actor(max_retries=3)
def make(drink):
    """Fail at the first try."""
    tries.append(drink)
    if len(tries) == 1:
        raise ValueError(drink)
    made.set()


@dramatiq.actor(max_retries=0, queue_name="strict")
def refuse(drink):
    """Fail always."""
    raise ValueError(drink)


worker = dramatiq.Worker(broker, worker_timeout=100)
worker.start()
make.send("tea")
refuse.send("poison")
assert made.wait(15), tries
sqs = boto3.client("sqs")
[dlq] = [one for one in sqs.list_queues()["QueueUrls"] if "strict" in one and one.endswith("dlq")]
dead = sqs.receive_message(QueueUrl=dlq, WaitTimeSeconds=15)["Messages"]
worker.stop()
assert tries == ["tea", "tea"], tries
assert len(dead) == 1, dead
