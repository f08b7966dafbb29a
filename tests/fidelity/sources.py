"""Sources of statements about AWS: a documentation page, and whether AWS's answer was recorded as well.

Recorded means that LocalStack's test suite has AWS's own answer (tests/aws/services/*/*.snapshot.json in its
repository), or that a test of moto was run against AWS (marked aws_verified). Codes and messages that the documentation
does not give are from there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_DOCS: Final = "https://docs.aws.amazon.com"


@dataclass(frozen=True)
class Source:
    """A page of AWS's documentation."""

    title: str
    url: str
    recorded: bool = False


def _pages(folder: str, prefix: str = "") -> Callable[..., Source]:
    """Return a function that makes the source for a page of a guide, or for an action of an API reference."""

    def source(name: str, *, recorded: bool = False) -> Source:
        return Source(name, f"{_DOCS}/{folder}/{prefix}{name}.html", recorded)

    return source


sqs_api = _pages("AWSSimpleQueueService/latest/APIReference", "API_")
sqs_guide = _pages("AWSSimpleQueueService/latest/SQSDeveloperGuide")
sns_api = _pages("sns/latest/api", "API_")
sns_guide = _pages("sns/latest/dg")
events_api = _pages("eventbridge/latest/APIReference", "API_")
events_guide = _pages("eventbridge/latest/userguide")
dynamodb_api = _pages("amazondynamodb/latest/APIReference", "API_")
dynamodb_guide = _pages("amazondynamodb/latest/developerguide")
lambda_api = _pages("lambda/latest/api", "API_")
lambda_guide = _pages("lambda/latest/dg")
formation_api = _pages("AWSCloudFormation/latest/APIReference", "API_")
cloudwatch_api = _pages("AmazonCloudWatch/latest/APIReference", "API_")
cloudwatch_guide = _pages("AmazonCloudWatch/latest/monitoring")
s3_guide = _pages("AmazonS3/latest/userguide")
scheduler_guide = _pages("scheduler/latest/UserGuide")
steps_guide = _pages("step-functions/latest/dg")
formation_guide = _pages("AWSCloudFormation/latest/UserGuide")
formation_template = _pages("AWSCloudFormation/latest/TemplateReference")


def formation_type(name: str, *, recorded: bool = False) -> Source:
    """Return the source for a resource type of CloudFormation, such as AWS::SQS::Queue."""
    page = f"aws-resource-{name.removeprefix('AWS::').replace('::', '-').lower()}"
    return Source(name, f"{_DOCS}/AWSCloudFormation/latest/TemplateReference/{page}.html", recorded)
