"""A real AWS account as the backend: only when it is named, and never without showing which account it is."""

import os
from dataclasses import dataclass

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from orderboard_stack.backend import DEFAULT_REGION, Endpoint
from orderboard_stack.clients import CLIENT_CONFIG
from orderboard_stack.refusals import in_one_line


class NoAccountError(Exception):
    """The usual AWS credentials are missing or refused: why, in one line with the fix."""


@dataclass(frozen=True)
class Account:
    """An account: show it to people before anything is created in it."""

    account_id: str
    arn: str
    endpoint: Endpoint


def account(session: boto3.Session | None = None) -> Account:
    """Ask STS for the account of the usual credentials (environment, profile, role). Raises NoAccountError."""
    endpoint_url = os.environ.get("AWS_ENDPOINT_URL", "")
    if endpoint_url and ".amazonaws.com" not in endpoint_url:  # as in the shell of a local backend
        raise NoAccountError(f"AWS_ENDPOINT_URL is {endpoint_url}, which is not AWS. Unset it: unset AWS_ENDPOINT_URL")
    # As the AWS CLI has it: the SDK for Python itself knows only AWS_DEFAULT_REGION.
    region = os.environ.get("AWS_REGION", "")
    try:
        session = session or boto3.Session()  # which refuses a profile that does not exist
        region = region or session.region_name or DEFAULT_REGION
        identity = session.client("sts", region_name=region, config=CLIENT_CONFIG).get_caller_identity()
    except (BotoCoreError, ClientError) as exc:
        raise NoAccountError(in_one_line(exc, region)) from exc
    return Account(account_id=identity["Account"], arn=identity["Arn"], endpoint=Endpoint("aws", None, region))
