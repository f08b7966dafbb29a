"""The archive of the bus, and replays from it where the backend has them."""

from datetime import UTC, datetime, timedelta

from botocore.exceptions import ClientError
from integration.stack import sample_events
from integration.stack.traffic import event_ids, happens, put
from support.stack import DeployedStack
from support.waiting import eventually


async def test_every_fact_is_archived(quiet_stack: DeployedStack) -> None:
    """The archive, made by the template or by API, counts what the bus carries."""
    stack = quiet_stack
    put(stack, sample_events.cancelled())

    def archived() -> bool:
        archive = stack.events.describe_archive(ArchiveName=str(stack.outputs.archive_name))
        return archive["State"] == "ENABLED" and archive["EventCount"] >= 1

    await eventually(archived, within_s=10)


async def test_archived_facts_can_be_replayed(quiet_stack: DeployedStack) -> None:
    """On a backend with replays, one brings an archived fact through the rules again."""
    stack, names = quiet_stack, quiet_stack.outputs
    started = datetime.now(UTC) - timedelta(minutes=1)
    event_id = put(stack, sample_events.rejected())
    await eventually(lambda: list(event_ids(stack, names.alerts_queue)) == [event_id], within_s=10)

    replayed = replay(stack, since=started) and await happens(
        lambda: list(event_ids(stack, names.alerts_queue)) == [event_id], within_s=10
    )

    assert replayed == stack.endpoint.capabilities.replay


def replay(stack: DeployedStack, since: datetime) -> bool:
    """Start a replay of everything since then; return whether the backend accepts it."""
    archive = stack.events.describe_archive(ArchiveName=str(stack.outputs.archive_name))
    try:
        stack.events.start_replay(
            ReplayName=f"{stack.prefix}-replay",
            EventSourceArn=archive["ArchiveArn"],
            EventStartTime=since,
            EventEndTime=datetime.now(UTC) + timedelta(minutes=1),
            Destination={"Arn": archive["EventSourceArn"]},
        )
    except ClientError:
        return False
    return True
