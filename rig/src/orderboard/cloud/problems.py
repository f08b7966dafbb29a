"""Failures of a deployment, each as one line with the fix."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError
from orderboard_stack.deploy import DeployFailedError
from orderboard_stack.refusals import AGAIN, NEW_ACCOUNT, in_one_line

from orderboard.errors import RigError

# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/troubleshooting.html
_NAMED: Final = "custom-named resource requires replacing"
_REPLACE: Final = (
    "Capacity and Scheme cannot change in place. Delete the services' stack (aws cloudformation delete-stack) and "
    "run this again: orders wait in the queues."
)


@contextmanager
def explained(region: str) -> Iterator[None]:
    """Raise RigError, in one line, for what AWS or CloudFormation refused within the block."""
    try:
        yield
    except DeployFailedError as exc:
        fixes = [fix for text, fix in ((NEW_ACCOUNT, AGAIN), (_NAMED, _REPLACE)) if text in str(exc).lower()]
        raise RigError("\n".join((str(exc), *fixes))) from exc
    except RigError as exc:
        if isinstance(exc.__cause__, (BotoCoreError, ClientError)):
            raise RigError(in_one_line(exc.__cause__, region)) from exc
        raise
    except (BotoCoreError, ClientError) as exc:
        raise RigError(in_one_line(exc, region)) from exc
