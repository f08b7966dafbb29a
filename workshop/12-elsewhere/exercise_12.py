"""Elsewhere: a change set read line by line, and executed only when it replaces nothing; or the stack on LocalStack."""

from collections.abc import Iterator, Mapping
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

FILE: Final = "my_station.yaml"
_RUNNING: Final = "running.yaml"
_LOCALSTACK: Final = "http://127.0.0.1:4566"
_SETTLED_WITHIN_S: Final = 30.0
_WANTED: Final = {"VisibilityTimeout": "60", "maxReceiveCount": "3", "MessageRetentionPeriod": "1209600"}


def deploy(board: Board) -> str:
    """Make a change set of the attendee's template; if the same one was made before, execute it."""
    client, stack, template = board.target.cloudformation, _stack(board), board.text(FILE)
    name = f"review-{sha256(template.encode()).hexdigest()[:12]}"
    waiting = [each["ChangeSetName"] for each in client.list_change_sets(StackName=stack)["Summaries"]]
    if name in waiting:
        client.execute_change_set(StackName=stack, ChangeSetName=name)
        board.eventually(lambda: _settled(board), within_s=_SETTLED_WITHIN_S, waiting_for="the update to end")
        return f"The change set {name} was executed. The stack {stack} is {_described(board)['StackStatus']}."
    client.create_change_set(StackName=stack, ChangeSetName=name, TemplateBody=template, ChangeSetType="UPDATE")
    board.eventually(
        lambda: _change_set(board, name)["Status"] in ("CREATE_COMPLETE", "FAILED"),
        within_s=_SETTLED_WITHIN_S,
        waiting_for="the change set",
    )
    found = _change_set(board, name)
    if found["Status"] == "FAILED":
        client.delete_change_set(StackName=stack, ChangeSetName=name)
        raise UsageError(f"CloudFormation made no change set of {FILE}: {found.get('StatusReason', '')}")
    lines = [_line(each["ResourceChange"]) for each in found["Changes"]]
    return "\n".join(
        (
            f"The change set {name} of the stack {stack}. Nothing is changed yet:",
            "",
            *lines,
            "",
            "To execute it, deploy the same file again: orderboard workshop deploy. To change it, change the file.",
        )
    )


def _line(change: Mapping[str, Any]) -> str:
    targets = (each["Target"] for each in change["Details"])
    properties = {each["Name"]: each["RequiresRecreation"] for each in targets if "Name" in each}
    names = ", ".join(f"{name} (recreation: {needs})" for name, needs in sorted(properties.items()))
    parts = (
        f"{change['Action']:<7} {change['LogicalResourceId']:<12} {change['ResourceType']}",
        f"Replacement: {change['Replacement']}" if "Replacement" in change else "",
        f"PolicyAction: {change['PolicyAction']}" if "PolicyAction" in change else "",
        names,
    )
    return "  " + "  ".join(each for each in parts if each)


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
        len(executed) > 1,
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
    """Describe the newest change set that is not executed."""
    found = board.target.cloudformation.list_change_sets(StackName=_stack(board))["Summaries"]
    if not found:
        return ""
    newest = max(found, key=lambda each: each["CreationTime"])["ChangeSetName"]
    changes = [each["ResourceChange"] for each in _change_set(board, newest)["Changes"]]
    dangerous = [
        each["LogicalResourceId"] for each in changes if each["Action"] == "Remove" or each.get("Replacement") == "True"
    ]
    ends = f"it replaces or removes {len(dangerous)} resources" if dangerous else "it replaces and removes nothing"
    return f"The change set {newest} waits to be executed; {ends}."


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


def _settled(board: Board) -> bool:
    return not _described(board)["StackStatus"].endswith("IN_PROGRESS")


def _described(board: Board) -> Any:
    return board.target.cloudformation.describe_stacks(StackName=_stack(board))["Stacks"][0]


def _change_set(board: Board, name: str) -> Any:
    return board.target.cloudformation.describe_change_set(StackName=_stack(board), ChangeSetName=name)


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
