"""The text that SNS signs in its messages, and what stands in the place of the signature here.

Nobody but AWS has the key, so `Signature` is the digest that AWS would sign: it changes with the message, and a client
that verifies signatures must be told not to. Source:
https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message-verify-message-signature.html
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping

_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")


def text_to_sign(document: Mapping[str, str]) -> str:
    """Names and values of what is signed, each on a line of its own."""
    names = _NOTIFICATION if document["Type"] == "Notification" else _CONFIRMATION
    return "".join(f"{name}\n{document[name]}\n" for name in names if name in document)


def sign(document: Mapping[str, str], version: str) -> dict[str, str]:
    """The members that say how a message is signed: by SHA-1 in version 1, by SHA-256 in version 2."""
    digest = hashlib.sha256 if version == "2" else hashlib.sha1
    region = document["TopicArn"].split(":")[3]
    certificate = hashlib.md5(region.encode(), usedforsecurity=False).hexdigest()
    return {
        "SignatureVersion": version,
        "Signature": base64.b64encode(digest(text_to_sign(document).encode()).digest()).decode(),
        "SigningCertURL": f"https://sns.{region}.amazonaws.com/SimpleNotificationService-{certificate}.pem",
    }
