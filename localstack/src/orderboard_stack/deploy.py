"""Deploys template.yaml and deletes the stack again, with the same code on every backend.

The differences where a backend lacks something are reported through `progress`:

- MiniStack rejects AWS::Events::Archive in a template, and LocalStack 4.14 silently leaves it out, but both have the
  archive's API: the stack is created without it (WithArchive=false) and the archive, named like the bus, by API.
- MiniStack's CloudFormation subscribes a webhook without a confirmation: that is requested by API too.
- LocalStack 4.14 reports an update of rules, alarms, tables and buses as complete and changes nothing: a stack that
  differs is deleted and created again. It cannot delete one that failed half-way: DeployFailedError says what to do.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final
from uuid import uuid4

import boto3
from botocore.exceptions import ClientError

from orderboard_stack.backend import Capabilities, detect
from orderboard_stack.change_set import Change, ChangeSet
from orderboard_stack.clients import CLIENT_CONFIG
from orderboard_stack.code_bucket import CodeBucket
from orderboard_stack.outputs import StackOutputs, read
from orderboard_stack.stack import DeployFailedError, Progress, ResourceFailure, Stack
from orderboard_stack.webhooks import request_confirmation

__all__ = ["ARCHIVE_DAYS", "TEMPLATE", "DeployFailedError", "ResourceFailure", "delete", "deploy", "review"]

TEMPLATE: Final = Path(__file__).with_name("template.yaml")  # a link to localstack/template.yaml; a wheel has the file
ARCHIVE_DAYS: Final = 7


def _ignore(_: str) -> None:
    pass


def deploy(
    session: boto3.Session,
    endpoint_url: str | None,
    *,
    notifier_zip: Path,
    worker_zip: Path | None = None,
    stack_name: str = "orderboard",
    prefix: str = "orderboard",
    template: Path = TEMPLATE,
    parameters: Mapping[str, str] = MappingProxyType({}),
    progress: Progress = _ignore,
    within_s: float = 900,
) -> StackOutputs:
    """Create the stack, or update it to the template, and return its outputs.

    parameters are the template's, by name; the zips must fit their NotifierRuntime and NotifierArchitecture. With
    worker_zip the worker is a function. progress gets one short line for each step. Raises DeployFailedError, naming
    the resources that failed and why.
    """
    capabilities = detect(endpoint_url).capabilities
    bucket = CodeBucket(session, endpoint_url, prefix)
    zips = _zips(notifier_zip, worker_zip)
    progress(f"uploading {', '.join(each.name for each in zips.values())} to {bucket.name}")
    codes = {name: bucket.upload(each) for name, each in zips.items()}
    values = _values(capabilities, bucket, codes, prefix, parameters)
    archive_by_api = not capabilities.archive_in_template and values["WithArchive"] == "true"
    if archive_by_api:
        values["WithArchive"] = "false"
    stack = Stack(session, endpoint_url, stack_name, progress=progress, within_s=within_s)
    create_or_update(stack, template.read_text(), values, capabilities, progress)
    if archive_by_api:
        progress(f"archive {prefix}: created by API, since this backend's CloudFormation does not know archives")
        _create_archive(session, endpoint_url, prefix)
    outputs = read(session, endpoint_url, stack_name)
    if not capabilities.confirms_webhooks:
        for url in request_confirmation(session, endpoint_url, outputs.alerts_topic_arn):
            progress(f"webhook {url}: confirmation requested by API, since this backend's CloudFormation does not")
    return outputs


def review(
    session: boto3.Session,
    endpoint_url: str | None,
    *,
    notifier_zip: Path,
    worker_zip: Path | None = None,
    stack_name: str = "orderboard",
    prefix: str = "orderboard",
    template: Path = TEMPLATE,
    parameters: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Change, ...]:
    """Return what `deploy` would change, and change nothing: by a change set that is deleted again."""
    capabilities = detect(endpoint_url).capabilities
    bucket = CodeBucket(session, endpoint_url, prefix)
    codes = {name: bucket.key(each) for name, each in _zips(notifier_zip, worker_zip).items()}
    values = _values(capabilities, bucket, codes, prefix, parameters)
    client = session.client("cloudformation", endpoint_url=endpoint_url, config=CLIENT_CONFIG)
    new = Stack(session, endpoint_url, stack_name, progress=_ignore, within_s=0).state() in (None, "REVIEW_IN_PROGRESS")
    change_set = ChangeSet(client, stack_name, f"review-{uuid4().hex[:12]}")
    try:
        changes = change_set.create(template.read_text(), values, of_new_stack=new)
        if changes:
            change_set.delete()
        return changes
    finally:
        if new:
            client.delete_stack(StackName=stack_name)  # it holds nothing but the change set


def delete(
    session: boto3.Session,
    endpoint_url: str | None,
    *,
    stack_name: str = "orderboard",
    prefix: str = "orderboard",
    progress: Progress = _ignore,
    within_s: float = 900,
) -> None:
    """Delete the stack, its archive and its bucket, with everything in them, and wait until they are gone."""
    capabilities = detect(endpoint_url).capabilities
    if not capabilities.archive_in_template:
        _delete_archive(session, endpoint_url, prefix)
    _delete(Stack(session, endpoint_url, stack_name, progress=progress, within_s=within_s), capabilities)
    CodeBucket(session, endpoint_url, prefix).delete()
    progress(f"stack {stack_name}: deleted")


def _values(
    capabilities: Capabilities, bucket: CodeBucket, codes: Mapping[str, str], prefix: str, parameters: Mapping[str, str]
) -> dict[str, str]:
    worker = "lambda" if "WorkerCodeKey" in codes else "container"
    if parameters.get("WorkerCompute", worker) != worker:
        need = "--worker-zip" if worker == "container" else "no --worker-zip"
        raise DeployFailedError(f"WorkerCompute is {parameters['WorkerCompute']}, which needs {need}.")
    return {
        "WithArchive": "true",
        "WithDashboard": str(capabilities.dashboard).lower(),
        "WithMetricMath": str(capabilities.metric_math).lower(),
        **parameters,
        "Prefix": prefix,
        "NotifierCodeBucket": bucket.name,
        "WorkerCompute": worker,
        **codes,
    }


def _zips(notifier_zip: Path, worker_zip: Path | None) -> dict[str, Path]:
    """Return the zips by the parameter that has their key."""
    found = {"NotifierCodeKey": notifier_zip}
    return found if worker_zip is None else {**found, "WorkerCodeKey": worker_zip}


def create_or_update(
    stack: Stack, template: str, parameters: Mapping[str, str], capabilities: Capabilities, progress: Progress
) -> None:
    """Bring a stack to its template, whatever an earlier attempt left of it. Raises DeployFailedError."""
    stack.settle()
    if stack.is_unusable():
        progress(f"stack {stack.name}: deleting the rest of a failed attempt")
        _delete(stack, capabilities)
    if stack.state() is None:
        stack.create(template, parameters)
    elif capabilities.updates_in_place:
        stack.update(template, parameters)
    elif stack.has(template, parameters):
        progress(f"stack {stack.name}: nothing to change")
    else:
        progress(f"stack {stack.name}: this backend cannot update it; deleting it with its data to create it again")
        _delete(stack, capabilities)
        stack.create(template, parameters)


def _delete(stack: Stack, capabilities: Capabilities) -> None:
    failed = stack.is_unusable()
    try:
        stack.delete()
    except DeployFailedError as exc:
        if not failed or capabilities.deletes_failed:
            raise
        raise DeployFailedError(
            f"Stack {stack.name} failed half-way earlier, and this backend cannot delete such a stack. "
            "Restart the backend.",
            exc.failures,
        ) from exc


def _create_archive(session: boto3.Session, endpoint_url: str | None, name: str) -> None:
    events = session.client("events", endpoint_url=endpoint_url, config=CLIENT_CONFIG)
    bus_arn = events.describe_event_bus(Name=name)["Arn"]
    try:
        events.create_archive(ArchiveName=name, EventSourceArn=bus_arn, RetentionDays=ARCHIVE_DAYS)
    except ClientError as exc:
        if exc.response["Error"]["Code"] != "ResourceAlreadyExistsException":
            raise


def _delete_archive(session: boto3.Session, endpoint_url: str | None, name: str) -> None:
    events = session.client("events", endpoint_url=endpoint_url, config=CLIENT_CONFIG)
    try:
        events.delete_archive(ArchiveName=name)
    except ClientError as exc:
        if exc.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
