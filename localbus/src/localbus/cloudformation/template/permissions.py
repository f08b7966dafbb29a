"""The resource types that a request permits: by Capabilities for those of IAM, and by ResourceTypes for all.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from localbus.cloudformation.template.template import Template
from localbus.errors import AwsError
from localbus.protocol.service_model import Params

_IAM, _NAMED_IAM = "CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"
# The types that need a capability, with the property that names the resource.
_IAM_TYPES = {
    "AWS::IAM::AccessKey": "",
    "AWS::IAM::Group": "GroupName",
    "AWS::IAM::InstanceProfile": "InstanceProfileName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Policy": "",
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::User": "UserName",
    "AWS::IAM::UserToGroupAddition": "",
}


def capabilities(template: Template) -> Params:
    """The capabilities that a template requires, with the reason, as ValidateTemplate returns them."""
    iam = [one for one in template.resources.values() if one.type in _IAM_TYPES]
    if not iam:
        return {}
    is_named = any(_IAM_TYPES[one.type] in one.properties for one in iam)
    types = ", ".join(sorted({one.type for one in iam}))
    return {
        "Capabilities": [_NAMED_IAM if is_named else _IAM],
        "CapabilitiesReason": f"The following resource(s) require capabilities: [{types}]",
    }


def check_permitted(template: Template, request: Params) -> None:
    """Raise AwsError if a request's Capabilities or ResourceTypes do not permit a template."""
    given = request.get("Capabilities", [])
    for needed in capabilities(template).get("Capabilities", []):
        if needed not in given and not (needed == _IAM and _NAMED_IAM in given):
            raise AwsError("InsufficientCapabilitiesException", f"Requires capabilities : [{needed}]")
    allowed = request.get("ResourceTypes", [])
    for one in template.resources.values():
        if allowed and not any(fnmatchcase(one.type, pattern) for pattern in allowed):
            text = f"Resource type {one.type} is not allowed by parameter ResourceTypes [{', '.join(allowed)}]"
            raise AwsError("ValidationError", text)
