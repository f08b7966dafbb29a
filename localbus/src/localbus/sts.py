"""STS: GetCallerIdentity, for clients that ask for their account first, such as Terraform. An upstream has all of it.

Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
"""

from __future__ import annotations

from localbus.protocol.service import Caller, Service
from localbus.protocol.service_model import Api, Params


def _get_caller_identity(_params: Params, caller: Caller) -> Params:
    """GetCallerIdentity: the root user of the account, because any credentials are valid."""
    return {"UserId": caller.account, "Account": caller.account, "Arn": f"arn:aws:iam::{caller.account}:root"}


def service() -> Service:
    """Return the actions as a service."""
    xmlns = "https://sts.amazonaws.com/doc/2011-06-15/"
    return Service(Api("sts"), {"GetCallerIdentity": _get_caller_identity}, None, xmlns=xmlns)
