"""aws-sns-message-validator accepts what localbus signs, and refuses a changed message.

It is given a pattern for the address, and REQUESTS_CA_BUNDLE names the certificate of the https port.
"""

import json
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer

import boto3
from sns_message_validator import SNSMessageValidator
from sns_message_validator.exceptions import SignatureVerificationFailureException

PATTERN = r"^https://127\.0\.0\.1:\d+/SimpleNotificationService-[0-9a-f]{32}\.pem$"
received: list[dict[str, str]] = []
arrived = threading.Semaphore(0)


class Endpoint(BaseHTTPRequestHandler):
    """A subscriber."""

    def do_POST(self) -> None:
        """Note a message."""
        received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()
        arrived.release()

    def log_message(self, *_: object) -> None:
        """Log nothing."""


server = HTTPServer(("127.0.0.1", 0), Endpoint)
threading.Thread(target=server.serve_forever, daemon=True).start()
sns = boto3.client("sns")
topic = sns.create_topic(Name="t")["TopicArn"]
endpoint = f"http://127.0.0.1:{server.server_port}"
sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=endpoint)
assert arrived.acquire(timeout=10)
sns.confirm_subscription(TopicArn=topic, Token=received[0]["Token"])
sns.publish(TopicArn=topic, Message="tea", Subject="order")
assert arrived.acquire(timeout=10)
urllib.request.urlopen(received[1]["UnsubscribeURL"]).close()  # noqa: S310 - of our engine
assert arrived.acquire(timeout=10)

validator = SNSMessageValidator(cert_url_regex=PATTERN)
assert [each["Type"] for each in received] == ["SubscriptionConfirmation", "Notification", "UnsubscribeConfirmation"]
for message in received:
    validator.validate_message(message)
    try:
        validator.validate_message(message | {"Message": "changed"})
    except SignatureVerificationFailureException:
        continue
    raise AssertionError(message)
