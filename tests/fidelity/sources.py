"""Sources of statements about AWS: a documentation page, and whether AWS's answer was recorded as well.

Recorded means that LocalStack's test suite has AWS's own answer (tests/aws/services/*/*.snapshot.json in its
repository), or that a test of moto was run against AWS (marked aws_verified). Codes and messages that the documentation
does not give are from there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_DOCS: Final = "https://docs.aws.amazon.com"


@dataclass(frozen=True)
class Source:
    """A page of AWS's documentation."""

    title: str
    url: str
    recorded: bool = False


def sqs_api(action: str, *, recorded: bool = False) -> Source:
    """An action of SQS."""
    return Source(action, f"{_DOCS}/AWSSimpleQueueService/latest/APIReference/API_{action}.html", recorded)


def sqs_guide(page: str, *, recorded: bool = False) -> Source:
    """A page of SQS's developer guide."""
    return Source(page, f"{_DOCS}/AWSSimpleQueueService/latest/SQSDeveloperGuide/{page}.html", recorded)


def sns_api(action: str, *, recorded: bool = False) -> Source:
    """An action of SNS."""
    return Source(action, f"{_DOCS}/sns/latest/api/API_{action}.html", recorded)


def sns_guide(page: str, *, recorded: bool = False) -> Source:
    """A page of SNS's developer guide."""
    return Source(page, f"{_DOCS}/sns/latest/dg/{page}.html", recorded)


def events_api(action: str, *, recorded: bool = False) -> Source:
    """An action, or a type, of EventBridge."""
    return Source(action, f"{_DOCS}/eventbridge/latest/APIReference/API_{action}.html", recorded)


def events_guide(page: str, *, recorded: bool = False) -> Source:
    """A page of EventBridge's user guide."""
    return Source(page, f"{_DOCS}/eventbridge/latest/userguide/{page}.html", recorded)


def lambda_guide(page: str) -> Source:
    """A page of Lambda's developer guide."""
    return Source(page, f"{_DOCS}/lambda/latest/dg/{page}.html")


def lambda_api(action: str, *, recorded: bool = False) -> Source:
    """An action of Lambda."""
    return Source(action, f"{_DOCS}/lambda/latest/api/API_{action}.html", recorded)


def formation_guide(page: str) -> Source:
    """A page of CloudFormation's user guide."""
    return Source(page, f"{_DOCS}/AWSCloudFormation/latest/UserGuide/{page}.html")


def formation_api(action: str) -> Source:
    """An action of CloudFormation."""
    return Source(action, f"{_DOCS}/AWSCloudFormation/latest/APIReference/API_{action}.html")


def formation_type(name: str, *, recorded: bool = False) -> Source:
    """A resource type of CloudFormation, such as AWS::SQS::Queue."""
    page = f"aws-resource-{name.removeprefix('AWS::').replace('::', '-').lower()}"
    return Source(name, f"{_DOCS}/AWSCloudFormation/latest/TemplateReference/{page}.html", recorded)
