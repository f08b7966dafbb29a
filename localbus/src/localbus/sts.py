"""STS: GetCallerIdentity, for clients that ask for their account first, such as Terraform. An upstream has the others.

Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
"""

from __future__ import annotations

from localbus.protocol.service import Caller, Service
from localbus.protocol.service_model import Api, Params


def _get_caller_identity(_params: Params, caller: Caller) -> Params:
    """GetCallerIdentity: the user that each account has, because any credentials are valid."""
    return {"UserId": caller.account, "Account": caller.account, "Arn": caller.principal_arn}


def service() -> Service:
    """Return the actions as a service."""
    xmlns = "https://sts.amazonaws.com/doc/2011-06-15/"
    return Service(Api("sts"), {"GetCallerIdentity": _get_caller_identity}, None, xmlns=xmlns)
