"""The tools that `make clients` runs on localbus: each with its pinned packages, and a program in `tools`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tool:
    """A tool of tools/python.lock, of npm packages, or of this machine (`needs`).

    `alone` gives it localbus without an upstream, which has an https port too.
    """

    name: str
    versions: str
    program: str
    npm: tuple[str, ...] = ()
    needs: str | None = None
    alone: bool = False


_CDK = ("aws-cdk@2.1148.1", "aws-cdk-lib@2.276.0", "constructs@10.8.1", "aws-cdk-local@3.0.4")
_SERVERLESS = ("serverless@3.40.0", "serverless-localstack@1.4.0")

TOOLS = (
    Tool("boto3", "boto3 1.40.61", "boto3_app.py"),
    Tool("aioboto3", "aioboto3 15.5.0", "aioboto3_app.py"),
    Tool("Celery", "celery 5.7.0, kombu 5.7.0", "celery_app.py"),
    Tool("dramatiq", "dramatiq 2.2.1, dramatiq-sqs 0.4.4", "dramatiq_app.py"),
    Tool("taskiq", "taskiq 0.13.0, taskiq-aio-sqs 2.1.1", "taskiq_app.py"),
    Tool("SQS extended client", "amazon-sqs-extended-client 1.0.1", "sqs_extended_client_app.py"),
    Tool("localstack-client", "localstack-client 2.12", "localstack_client_app.py"),
    Tool("SNS message validator", "aws-sns-message-validator 0.0.5", "sns_validator_app.py", alone=True),
    Tool("Powertools for Lambda", "aws-lambda-powertools 3.37.0", "powertools_app.py"),
    Tool("Chalice", "chalice 1.34.0", "chalice.sh"),
    Tool("AWS CDK", "aws-cdk 2.1148.1, aws-cdk-lib 2.276.0", "cdk.sh", npm=_CDK),
    Tool("AWS CDK, localbus alone", "aws-cdk 2.1148.1, aws-cdk-lib 2.276.0", "cdk_alone.sh", npm=_CDK, alone=True),
    Tool("cdklocal", "aws-cdk-local 3.0.4", "cdklocal.sh", npm=_CDK),
    Tool("Serverless Framework", "serverless 3.40.0, serverless-localstack 1.4.0", "serverless.sh", npm=_SERVERLESS),
    Tool("awslocal", "awscli-local 0.23.0", "awslocal.sh"),
    Tool("AWS CLI 2", "Debian's awscli", "awscli2.sh", needs="/usr/bin/aws"),
)
