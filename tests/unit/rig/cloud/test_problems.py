"""Each refusal of AWS is one line with the fix."""

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError, ProfileNotFound
from orderboard.cloud.problems import explained
from orderboard.errors import RigError
from orderboard_stack.deploy import DeployFailedError
from orderboard_stack.refusals import in_one_line


def refused(code: str, message: str, operation: str = "CreateRepository") -> ClientError:
    """An error as botocore raises it."""
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


DENIED = (
    "User: arn:aws:iam::123456789012:user/ada is not authorized to perform: ecr:CreateRepository on resource: "
    "arn:aws:ecr:us-east-1:123456789012:repository/orderboard-worker because no identity-based policy allows it"
)


@pytest.mark.parametrize(
    ("exc", "said"),
    [
        (NoCredentialsError(), "There are no AWS credentials. Set AWS_PROFILE"),
        (ProfileNotFound(profile="bob"), "aws configure list-profiles"),
        (
            refused("ExpiredToken", "The security token included in the request is expired"),
            "have expired. Log in again",
        ),
        (refused("InvalidClientTokenId", "The security token is invalid."), "refuses the credentials in eu-south-2"),
        (
            refused("AccessDeniedException", DENIED),
            "may not do ecr:CreateRepository on arn:aws:ecr:us-east-1:123456789012:repository/orderboard-worker. Allow",
        ),
        (refused("UnauthorizedOperation", "You are not authorized.", "CreateVpc"), "may not do CreateVpc. Allow it"),
        (refused("OptInRequired", "You are not subscribed."), "has not enabled this service, or eu-south-2"),
        (refused("ValidationError", "Unable to assume the service linked role."), "run the command again"),
        (refused("LimitExceeded", "Too many."), "CreateRepository: Too many."),
        (EndpointConnectionError(endpoint_url="https://ecs.eu-south-2.amazonaws.com"), "Is eu-south-2 the region"),
    ],
)
def test_a_refusal_is_one_line_with_the_fix(exc: Exception, said: str) -> None:
    """The action, the reason, and what to do."""
    line = in_one_line(exc, "eu-south-2")

    assert said in line
    assert "\n" not in line


def test_the_cause_of_an_error_is_explained() -> None:
    """An error of AWS that a lower part has wrapped is explained, too; others stay."""

    def wrapped() -> None:
        try:
            raise refused("ExpiredToken", "expired")
        except ClientError as exc:
            raise RigError("The stack was not deployed") from exc

    with pytest.raises(RigError, match="have expired"), explained("us-east-1"):
        wrapped()
    with pytest.raises(RigError, match=r"\ADocker\Z"), explained("us-east-1"):
        raise RigError("Docker")
    with pytest.raises(RigError, match="rejected"), explained("us-east-1"):
        raise DeployFailedError("rejected")
    with pytest.raises(RigError, match="run the command again"), explained("us-east-1"):
        raise DeployFailedError("Unable to assume the service linked role.")
    with pytest.raises(RigError, match="Capacity and Scheme cannot change in place"), explained("us-east-1"):
        raise DeployFailedError("CloudFormation cannot update a stack when a custom-named resource requires replacing.")
