"""Elsewhere: a change set read line by line, and executed only when it replaces nothing; or the stack on LocalStack."""

from collections.abc import Iterator
from hashlib import sha256
from typing import Any, Final

from botocore.exceptions import ClientError
from orderboard.errors import RigError, UsageError
from orderboard.system.state import StateFile
from orderboard.system.target import target
from orderboard.workshop.board import Board, policy
from orderboard.workshop.exercise import Exercise, Finding
from orderboard.workshop.stacks import deploy_text
from orderboard_stack.backend import BackendUnreachableError, detect
from orderboard_stack.change_set import ChangeSet
from orderboard_stack.deploy import DeployFailedError

FILE: Final = "my_station.yaml"
_RUNNING: Final = "running.yaml"
_LOCALSTACK: Final = "http://127.0.0.1:4566"
_UPDATED: Final = "UPDATE_COMPLETE"
_SETTLED_WITHIN_S: Final = 30.0
_WANTED: Final = {"VisibilityTimeout": "60", "maxReceiveCount": "3", "MessageRetentionPeriod": "1209600"}


def deploy(board: Board) -> str:
    """Make a change set of the attendee's template; if the same one was made before, execute it."""
    client, stack, template = board.target.cloudformation, _stack(board), board.text(FILE)
    change_set = ChangeSet(client, stack, f"review-{sha256(template.encode()).hexdigest()[:12]}")
    if change_set.name in _names(board):
        change_set.execute()
        board.eventually(lambda: _settled(board), within_s=_SETTLED_WITHIN_S, waiting_for="the update to end")
        status = _described(board)["StackStatus"]
        if status != _UPDATED:
            raise UsageError(
                f"The change set {change_set.name} was executed, and failed. {stack} is {status}: {_why(board)}"
            )
        return f"The change set {change_set.name} was executed. The stack {stack} is {status}."
    try:
        changes = change_set.create(template)
    except DeployFailedError as exc:
        raise UsageError(f"{FILE}: {exc}") from exc
    if not changes:
        return f"{FILE} would change nothing: the stack {stack} is as it says."
    return "\n".join(
        (
            f"The change set {change_set.name} of the stack {stack}. Nothing is changed yet:",
            "",
            *(f"  {each}" for each in changes),
            "",
            "To execute it, deploy the same file again: orderboard workshop deploy. To change it, change the file.",
        )
    )


def prepare(board: Board) -> None:
    """Deploy the stack of the station; its queues have orders and dead letters that must not get lost."""
    stack, sqs = _stack(board), board.target.sqs
    deploy_text(board, (board.folder / _RUNNING).read_text(), stack, _RUNNING)
    for key, name, bodies in (("orders", stack, 5), ("waste", f"{stack}-waste", 2)):
        url = board.target.queue_url(name)
        sent = [sqs.send_message(QueueUrl=url, MessageBody=f"{key} {number}") for number in range(1, bodies + 1)]
        board.facts[key] = [each["MessageId"] for each in sent]


def check(board: Board) -> Iterator[Finding]:
    """Look for the stack on LocalStack, or at the station: one of both is enough."""
    elsewhere = _elsewhere(board)
    if elsewhere is not None and elsewhere.met:
        yield elsewhere
        return
    station = list(_station(board))
    yield from station
    if elsewhere is not None and not all(each.met for each in station):
        yield elsewhere


def _station(board: Board) -> Iterator[Finding]:
    """Look at the station's queues, their messages and settings, and at the last update."""
    try:
        stack = _described(board)
        queue = _queue(board, "Orders")
    except ClientError as exc:
        yield Finding(False, f"The station's stack cannot be read, so its messages are lost: {exc}. Open it again.")
        return
    attributes = board.attributes(queue)
    redrive = policy(attributes.get("RedrivePolicy", ""))
    dlq = str(redrive.get("deadLetterTargetArn", "")).rpartition(":")[2]
    yield _kept(board, "orders", queue, "the orders of the evening")
    yield _kept(board, "waste", dlq, "the dead letters of this week")
    found = {
        "VisibilityTimeout": attributes["VisibilityTimeout"],
        "maxReceiveCount": str(redrive.get("maxReceiveCount")),
        "MessageRetentionPeriod": board.attributes(dlq)["MessageRetentionPeriod"] if dlq else "",
    }
    wrong = ", ".join(
        f"{name} is {found[name]}, not {value}" for name, value in _WANTED.items() if found[name] != value
    )
    yield Finding(
        not wrong,
        f"Not as the station needs it: {wrong}. {_waiting(board)}".rstrip()
        if wrong
        else "The new settings are in use.",
    )
    executed = stack.get("ChangeSetId", "").split("/")
    yield Finding(
        len(executed) > 1 and stack["StackStatus"] == _UPDATED,
        f"The stack is {stack['StackStatus']}; the change set that was executed last: "
        + (executed[1] if len(executed) > 1 else "none")
        + ".",
    )


def _kept(board: Board, key: str, queue: str, about: str) -> Finding:
    ids = board.facts[key]
    found = {each.message_id for each in board.messages(queue)} if queue else set()
    left = [each for each in ids if each in found]
    lost = len(left) < len(ids)
    return Finding(
        not lost,
        f"The queue {queue or '(none)'} has {len(left)} of {len(ids)} messages: {about}"
        + (
            ". A queue that is replaced or removed goes with its messages. Begin again: open the exercise."
            if lost
            else "."
        ),
    )


def _waiting(board: Board) -> str:
    """Describe the change set that is not executed, the newest of them."""
    names = _names(board)
    if not names:
        return ""
    changes = ChangeSet(board.target.cloudformation, _stack(board), names[-1]).changes()
    deletes = sum(each.deletes for each in changes)
    ends = f"it replaces or removes {deletes} resources" if deletes else "it replaces and removes nothing"
    return f"The change set {names[-1]} waits to be executed; {ends}."


def _names(board: Board) -> list[str]:
    found = board.target.cloudformation.list_change_sets(StackName=_stack(board))["Summaries"]
    return [each["ChangeSetName"] for each in sorted(found, key=lambda each: each["CreationTime"])]


def _elsewhere(board: Board) -> Finding | None:
    """Look for Order Board on LocalStack: that of the state folder `elsewhere`, or one at the usual address."""
    state = StateFile(board.workspace.state_dir / "elsewhere").read()
    for url in (None if state is None else state.endpoint_url, _LOCALSTACK):
        try:
            if url is None or (endpoint := detect(url)).name != "localstack":
                continue
            found = target(endpoint, "orderboard", None)
            orders = found.dynamodb.scan(TableName=found.outputs.orders_table, Select="COUNT")["Count"]
        except (BackendUnreachableError, RigError, ClientError):
            continue
        return Finding(orders > 0, f"The stack orderboard runs on LocalStack at {url}; orders in its table: {orders}.")
    return None


def _why(board: Board) -> str:
    """Return the reason of the newest failure of a resource."""
    events = board.target.cloudformation.describe_stack_events(StackName=_stack(board))["StackEvents"]
    failed = (each for each in events if each.get("ResourceStatus", "").endswith("_FAILED"))
    return next((f"{each['LogicalResourceId']}: {each.get('ResourceStatusReason', '')}" for each in failed), "")


def _settled(board: Board) -> bool:
    return not _described(board)["StackStatus"].endswith("IN_PROGRESS")


def _described(board: Board) -> Any:
    return board.target.cloudformation.describe_stacks(StackName=_stack(board))["Stacks"][0]


def _queue(board: Board, logical_id: str) -> str:
    found = board.target.cloudformation.describe_stack_resource(StackName=_stack(board), LogicalResourceId=logical_id)
    return str(found["StackResourceDetail"]["PhysicalResourceId"]).rpartition("/")[2]


def _stack(board: Board) -> str:
    return f"{board.own}-station"


def solve(board: Board) -> None:
    """Make the change set of the solution, and execute it."""
    deploy(board)
    deploy(board)


EXERCISE: Final = Exercise(
    prepare=prepare,
    check=check,
    solve=solve,
    hints=(
        "Read each line twice: its action, and its replacement. What becomes of the messages of a queue that is "
        "replaced? And of one that is removed?",
        "A queue's name cannot be changed: another name is another queue. And CloudFormation knows a resource by its "
        "logical id: another id is another resource, and the old one is removed.",
        "In `my_station.yaml`, keep `VisibilityTimeout`, `maxReceiveCount` and `MessageRetentionPeriod`, and take back "
        "both `QueueName`s and the logical id `Waste`, as in the running stack. Deploy, read, deploy.",
    ),
    files=(FILE,),
    deploy=deploy,
)
